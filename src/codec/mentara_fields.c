
#include <mentara_fields.h>
#include <mentara_field_table.h>
#include <mentara_emoji.h>
#include <mentara_route.h>
#include <mentara_text.h>
#include <mentara_time.h>
#include <stdarg.h>
#include <stdio.h>


#define MENTARA_QUERY_VALUE_MAX  8192   /* octets of one decoded value */


static void mentara_fault(mentara_faults_t *faults, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int mentara_body_deep(const unsigned char *data, size_t len);
static void mentara_body_fault(int endpoint, mentara_faults_t *faults,
    json_error_t *error);
static void mentara_body_twice(int endpoint, mentara_faults_t *faults,
    json_error_t *error);
static void mentara_unknown_fields(const mentara_field_t *fields,
    json_t *object, mentara_faults_t *faults);
static void mentara_field_check(const mentara_field_t *field, json_t *object,
    size_t max_content, mentara_faults_t *faults);
static void mentara_string_check(const mentara_field_t *field, json_t *value,
    mentara_faults_t *faults);
static void mentara_array_check(const mentara_field_t *field, json_t *value,
    mentara_faults_t *faults);
static void mentara_enum_check(const mentara_field_t *field, json_t *value,
    mentara_faults_t *faults);
static void mentara_emoji_check(const mentara_field_t *field, json_t *object,
    json_t *value, mentara_faults_t *faults);
static void mentara_rules(int endpoint, json_t *object,
    mentara_faults_t *faults);
static void mentara_rules_create(json_t *object, mentara_faults_t *faults);
static void mentara_rules_send(json_t *object, mentara_faults_t *faults);
static size_t mentara_distinct(json_t *array);
static const char *mentara_string_of(json_t *object, const char *name);
static int mentara_query_pair(const mentara_field_t *fields, json_t *object,
    mentara_slice_t name, mentara_slice_t value, mentara_faults_t *faults);
static json_t *mentara_query_value(const mentara_field_t *field,
    const char *text, size_t len);
static void mentara_query_exclusive(const mentara_field_t *fields,
    json_t *object, mentara_faults_t *faults);


/* adds a sentence; one that does not fit any more is left out */

static void
mentara_fault(mentara_faults_t *faults, const char *format, ...)
{
    int      n;
    size_t   room;
    va_list  args;

    room = sizeof(faults->text) - faults->len;

    if (room < 2) {
        return;
    }

    if (faults->len != 0) {
        faults->text[faults->len] = '\n';
        room--;
    }

    va_start(args, format);
    n = vsnprintf(faults->text + sizeof(faults->text) - room, room, format,
                  args);
    va_end(args);

    if (n < 0 || (size_t) n >= room) {
        faults->text[faults->len] = '\0';
        return;
    }

    faults->len = sizeof(faults->text) - room + (size_t) n;
}


int
mentara_body_check(int endpoint, const unsigned char *data, size_t len,
    size_t max_content, json_t **args, mentara_faults_t *faults)
{
    json_error_t  error;

    faults->len = 0;
    faults->code = "malformed_json";

    if (len == 0) {
        *args = json_object();

    } else if (mentara_body_deep(data, len)) {
        mentara_fault(faults, "the body is nested deeper than %d levels",
                      MENTARA_JSON_DEPTH);
        return MENTARA_BAD;

    } else {
        *args = json_loadb((const char *) data, len,
                           JSON_REJECT_DUPLICATES|JSON_DECODE_ANY, &error);
    }

    if (*args == NULL) {
        if (len == 0 || json_error_code(&error) == json_error_out_of_memory) {
            return MENTARA_MORE;
        }

        mentara_body_fault(endpoint, faults, &error);
        return MENTARA_BAD;
    }

    if (mentara_object_check(endpoint, *args, max_content, faults)
        != MENTARA_OK)
    {
        json_decref(*args);
        *args = NULL;
        return MENTARA_BAD;
    }

    return MENTARA_OK;
}


/* brackets outside of strings, counted before anything is built of them */

static int
mentara_body_deep(const unsigned char *data, size_t len)
{
    int     quoted;
    size_t  i, depth;

    quoted = 0;
    depth = 0;

    for (i = 0; i < len; i++) {
        if (quoted) {
            if (data[i] == '\\') {
                i++;

            } else if (data[i] == '"') {
                quoted = 0;
            }

            continue;
        }

        switch (data[i]) {

        case '"':
            quoted = 1;
            break;

        case '{':
        case '[':
            if (++depth > MENTARA_JSON_DEPTH) {
                return 1;
            }

            break;

        case '}':
        case ']':
            if (depth > 0) {
                depth--;
            }

            break;
        }
    }

    return 0;
}


/* our own words: the parser's quote what was sent */

static void
mentara_body_fault(int endpoint, mentara_faults_t *faults,
    json_error_t *error)
{
    switch (json_error_code(error)) {

    case json_error_duplicate_key:
        mentara_body_twice(endpoint, faults, error);
        return;

    case json_error_null_character:
    case json_error_null_byte_in_key:
        mentara_fault(faults, "the body contains \\u0000");
        return;

    case json_error_invalid_utf8:
        mentara_fault(faults, "the body is not valid UTF-8");
        return;

    case json_error_numeric_overflow:
        mentara_fault(faults, "the body has a number that is too large");
        return;

    default:
        mentara_fault(faults, "the body is not valid JSON (line %d, "
                              "column %d)", error->line, error->column);
        return;
    }
}


/* the parser's text ends in: near '"name"'; only a known name is repeated */

static void
mentara_body_twice(int endpoint, mentara_faults_t *faults,
    json_error_t *error)
{
    size_t                  len;
    const char             *near;
    const mentara_field_t  *field;

    near = strstr(error->text, "near '\"");
    near = (near == NULL) ? "" : near + sizeof("near '\"") - 1;

    for (field = mentara_body_fields(endpoint); field->name != NULL; field++) {
        len = strlen(field->name);

        if (strncmp(near, field->name, len) == 0 && near[len] == '"') {
            mentara_fault(faults, "the body has %s twice", field->name);
            return;
        }
    }

    mentara_fault(faults, "the body has a field twice");
}


int
mentara_object_check(int endpoint, json_t *object, size_t max_content,
    mentara_faults_t *faults)
{
    const mentara_field_t  *field;

    faults->len = 0;
    faults->code = "validation_failed";

    if (!json_is_object(object)) {
        mentara_fault(faults, "the body must be an object");
        return MENTARA_BAD;
    }

    field = mentara_body_fields(endpoint);

    mentara_unknown_fields(field, object, faults);

    for ( /* void */ ; field->name != NULL; field++) {
        mentara_field_check(field, object, max_content, faults);
    }

    mentara_rules(endpoint, object, faults);

    return (faults->len == 0) ? MENTARA_OK : MENTARA_BAD;
}


static void
mentara_unknown_fields(const mentara_field_t *fields, json_t *object,
    mentara_faults_t *faults)
{
    json_t                 *value;
    const char             *name;
    const mentara_field_t  *field;

    json_object_foreach(object, name, value) {
        for (field = fields; field->name != NULL; field++) {
            if (strcmp(field->name, name) == 0) {
                break;
            }
        }

        if (field->name != NULL) {
            continue;
        }

        if (strlen(name) <= 64) {
            mentara_fault(faults, "%s is not a known field", name);

        } else {
            mentara_fault(faults, "a field with a long name is not known");
        }
    }
}


/* null counts as absent, but where it has a meaning */

static void
mentara_field_check(const mentara_field_t *field, json_t *object,
    size_t max_content, mentara_faults_t *faults)
{
    json_t  *value;

    value = json_object_get(object, field->name);

    if (value == NULL || json_is_null(value)) {
        if (field->flags & MENTARA_FIELD_REQUIRED) {
            mentara_fault(faults, "%s is required", field->name);
        }

        return;
    }

    switch (field->type) {

    case MENTARA_FIELD_STRING:
    case MENTARA_FIELD_USER:
        mentara_string_check(field, value, faults);
        return;

    case MENTARA_FIELD_CONTENT:
        if (!json_is_string(value)) {
            mentara_fault(faults, "%s must be a string", field->name);

        } else if (mentara_text_points(json_string_value(value),
                                  json_string_length(value)) > max_content)
        {
            mentara_fault(faults, "%s must be at most %zu characters long",
                          field->name, max_content);
        }

        return;

    case MENTARA_FIELD_ENUM:
        mentara_enum_check(field, value, faults);
        return;

    case MENTARA_FIELD_UUID:
        if (!mentara_text_uuid(value)) {
            mentara_fault(faults, "%s must be a UUID", field->name);
        }

        return;

    case MENTARA_FIELD_USERS:
    case MENTARA_FIELD_UUIDS:
        mentara_array_check(field, value, faults);
        return;

    case MENTARA_FIELD_INTEGER:
        if (!json_is_integer(value)
            || json_integer_value(value) < field->min
            || json_integer_value(value) > field->max)
        {
            mentara_fault(faults, "%s must be an integer from %lld to %lld",
                          field->name, (long long) field->min,
                          (long long) field->max);
        }

        return;

    case MENTARA_FIELD_BOOLEAN:
        if (!json_is_boolean(value)) {
            mentara_fault(faults, "%s must be true or false", field->name);
        }

        return;

    case MENTARA_FIELD_EMOJI:
        mentara_emoji_check(field, object, value, faults);
        return;

    case MENTARA_FIELD_TIME:
        if (!json_is_string(value)
            || mentara_time_check(json_string_value(value),
                                  json_string_length(value)) != MENTARA_OK)
        {
            mentara_fault(faults, "%s must be an ISO 8601 time",
                          field->name);
        }

        return;
    }
}


static void
mentara_string_check(const mentara_field_t *field, json_t *value,
    mentara_faults_t *faults)
{
    size_t       len, n;
    const char  *text;

    if (!json_is_string(value)) {
        mentara_fault(faults, "%s must be a string", field->name);
        return;
    }

    text = json_string_value(value);
    len = json_string_length(value);
    n = mentara_text_points(text, len);

    if (n < (size_t) field->min
        || ((field->flags & MENTARA_FIELD_SOLID)
            && mentara_text_blank(text, len)))
    {
        mentara_fault(faults, "%s must not be empty", field->name);
        return;
    }

    if (n > (size_t) field->max) {
        mentara_fault(faults, "%s must be at most %lld characters long",
                      field->name, (long long) field->max);
        return;
    }

    if (field->type == MENTARA_FIELD_USER && !mentara_text_user(text, len)) {
        mentara_fault(faults, "%s must be a user id", field->name);
    }
}


static void
mentara_array_check(const mentara_field_t *field, json_t *value,
    mentara_faults_t *faults)
{
    size_t   i, n;
    json_t  *element;

    if (!json_is_array(value)) {
        mentara_fault(faults, "%s must be an array", field->name);
        return;
    }

    n = json_array_size(value);

    if (n < (size_t) field->min || n > (size_t) field->max) {
        mentara_fault(faults, "%s must have %lld to %lld elements",
                      field->name, (long long) field->min,
                      (long long) field->max);
        return;
    }

    for (i = 0; i < n; i++) {
        element = json_array_get(value, i);

        if (field->type == MENTARA_FIELD_UUIDS && !mentara_text_uuid(element)) {
            mentara_fault(faults, "%s[%zu] must be a UUID", field->name, i);
            return;
        }

        if (field->type == MENTARA_FIELD_USERS
            && (!json_is_string(element)
                || !mentara_text_user(json_string_value(element),
                                 json_string_length(element))))
        {
            mentara_fault(faults, "%s[%zu] must be a user id", field->name,
                          i);
            return;
        }
    }
}


static void
mentara_enum_check(const mentara_field_t *field, json_t *value,
    mentara_faults_t *faults)
{
    if (!json_is_string(value)
        || !mentara_text_in_list(field->values, json_string_value(value),
                            json_string_length(value)))
    {
        mentara_fault(faults, "%s must be one of: %s", field->name,
                      field->values);
    }
}


/* what is stored is the fully qualified form */

static void
mentara_emoji_check(const mentara_field_t *field, json_t *object,
    json_t *value, mentara_faults_t *faults)
{
    const char       *emoji;
    mentara_slice_t   text;

    emoji = NULL;

    if (json_is_string(value)) {
        text.data = (unsigned char *) json_string_value(value);
        text.len = json_string_length(value);
        emoji = mentara_emoji(text);
    }

    if (emoji == NULL
        || json_object_set_new(object, field->name, json_string(emoji)) != 0)
    {
        mentara_fault(faults, "%s must be exactly one emoji", field->name);
    }
}


/* rules over more than one field */

static void
mentara_rules(int endpoint, json_t *object, mentara_faults_t *faults)
{
    const char  *content;

    switch (endpoint) {

    case MENTARA_EP_CONVERSATION_CREATE:
        mentara_rules_create(object, faults);
        return;

    case MENTARA_EP_MESSAGE_SEND:
        mentara_rules_send(object, faults);
        return;

    default:
        return;

    case MENTARA_EP_MESSAGE_EDIT:
        break;
    }

    content = mentara_string_of(object, "content");

    if (content != NULL && mentara_text_blank(content, strlen(content))) {
        mentara_fault(faults, "content must not be empty");
    }
}


static void
mentara_rules_create(json_t *object, mentara_faults_t *faults)
{
    size_t       others;
    json_t      *ids;
    const char  *type, *session;

    type = mentara_string_of(object, "type");
    session = mentara_string_of(object, "sessionId");
    ids = json_object_get(object, "participantIds");
    others = json_is_array(ids) ? mentara_distinct(ids) : 0;

    if (type == NULL) {
        type = "DIRECT";
    }

    if (strcmp(type, "SUPPORT") == 0) {
        if (others != 0) {
            mentara_fault(faults, "participantIds must be empty for SUPPORT");
        }

    } else if (ids == NULL || json_is_null(ids)) {
        mentara_fault(faults, "participantIds is required");

    } else if (strcmp(type, "DIRECT") == 0 && json_is_array(ids)
               && others != 1)
    {
        mentara_fault(faults, "participantIds must name exactly one other "
                              "for DIRECT");

    } else if (json_is_array(ids) && others == 0) {
        mentara_fault(faults, "participantIds must not be empty");
    }

    if (strcmp(type, "SESSION") == 0) {
        if (session == NULL) {
            mentara_fault(faults, "sessionId is required for SESSION");
        }

    } else if (session != NULL) {
        mentara_fault(faults, "sessionId belongs to SESSION only");
    }

    if (strcmp(type, "DIRECT") == 0
        && mentara_string_of(object, "title") != NULL)
    {
        mentara_fault(faults, "title is not possible for DIRECT");
    }
}


static void
mentara_rules_send(json_t *object, mentara_faults_t *faults)
{
    const char  *type, *content, *url;

    type = mentara_string_of(object, "messageType");
    content = mentara_string_of(object, "content");
    url = mentara_string_of(object, "attachmentUrl");

    if (type == NULL) {
        type = "TEXT";
    }

    if (json_object_get(object, "content") == NULL
        || json_is_null(json_object_get(object, "content")))
    {
        if (url == NULL) {
            mentara_fault(faults, "content is required");
        }

    } else if (content != NULL && url == NULL
               && mentara_text_blank(content, strlen(content)))
    {
        mentara_fault(faults, "content must not be empty");
    }

    if (url == NULL && mentara_text_in_list("IMAGE FILE VOICE VIDEO", type,
                                       strlen(type)))
    {
        mentara_fault(faults, "attachmentUrl is required for %s", type);
    }

    if (mentara_text_in_list("LOCATION POLL", type, strlen(type))) {
        mentara_fault(faults, "messageType %s cannot be sent", type);
    }

    if (url == NULL
        && (mentara_string_of(object, "attachmentName") != NULL
            || json_is_integer(json_object_get(object, "attachmentSize"))))
    {
        mentara_fault(faults, "attachmentUrl is required with "
                              "attachmentName or attachmentSize");
    }
}


/* at most 199 elements: every pair is compared */

static size_t
mentara_distinct(json_t *array)
{
    size_t  i, k, n;

    n = 0;

    for (i = 0; i < json_array_size(array); i++) {
        for (k = 0; k < i; k++) {
            if (json_equal(json_array_get(array, i),
                           json_array_get(array, k)))
            {
                break;
            }
        }

        if (k == i) {
            n++;
        }
    }

    return n;
}


static const char *
mentara_string_of(json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}


int
mentara_query_check(int endpoint, mentara_slice_t query, json_t **args,
    mentara_faults_t *faults)
{
    mentara_slice_t         name, value;
    const mentara_field_t  *field, *fields;

    faults->len = 0;
    faults->code = "validation_failed";

    *args = json_object();

    if (*args == NULL) {
        return MENTARA_MORE;
    }

    fields = mentara_query_fields(endpoint);

    while (fields->name != NULL
           && mentara_query_next(&query, &name, &value) == MENTARA_OK)
    {
        if (mentara_query_pair(fields, *args, name, value, faults)
            != MENTARA_OK)
        {
            json_decref(*args);
            *args = NULL;
            return MENTARA_MORE;
        }
    }

    for (field = fields; field->name != NULL; field++) {
        mentara_field_check(field, *args, 0, faults);
    }

    mentara_query_exclusive(fields, *args, faults);

    if (faults->len == 0) {
        return MENTARA_OK;
    }

    json_decref(*args);
    *args = NULL;

    return MENTARA_BAD;
}


/* MENTARA_OK, also when the pair has a fault; MENTARA_MORE: no memory */

static int
mentara_query_pair(const mentara_field_t *fields, json_t *object,
    mentara_slice_t name, mentara_slice_t value, mentara_faults_t *faults)
{
    long                    len;
    json_t                 *json;
    unsigned char           text[MENTARA_QUERY_VALUE_MAX + 1];
    const mentara_field_t  *field;

    for (field = fields; field->name != NULL; field++) {
        if (strlen(field->name) == name.len
            && memcmp(field->name, name.data, name.len) == 0)
        {
            break;
        }
    }

    if (field->name == NULL) {
        return MENTARA_OK;
    }

    if (json_object_get(object, field->name) != NULL) {
        mentara_fault(faults, "%s must be given once", field->name);
        return MENTARA_OK;
    }

    len = MENTARA_BAD;

    if (value.len <= MENTARA_QUERY_VALUE_MAX) {
        len = mentara_percent_decode(text, value, 1);
    }

    json = (len < 0) ? NULL
           : mentara_query_value(field, (char *) text, (size_t) len);

    if (json == NULL) {
        mentara_fault(faults, "%s is not valid text", field->name);
        return MENTARA_OK;
    }

    return (json_object_set_new(object, field->name, json) == 0)
           ? MENTARA_OK : MENTARA_MORE;
}


/* digits become an integer; what is no integer is found by the check */

static json_t *
mentara_query_value(const mentara_field_t *field, const char *text,
    size_t len)
{
    size_t     i;
    long long  n;

    if (field->type != MENTARA_FIELD_INTEGER) {
        return json_stringn(text, len);
    }

    n = 0;

    for (i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || i == 17) {
            return json_stringn(text, len);
        }

        n = n * 10 + (text[i] - '0');
    }

    return (len == 0) ? json_stringn(text, len) : json_integer(n);
}


static void
mentara_query_exclusive(const mentara_field_t *fields, json_t *object,
    mentara_faults_t *faults)
{
    const char             *first;
    const mentara_field_t  *field;

    first = NULL;

    for (field = fields; field->name != NULL; field++) {
        if ((field->flags & MENTARA_FIELD_ONE_OF) == 0
            || json_object_get(object, field->name) == NULL)
        {
            continue;
        }

        if (first != NULL) {
            mentara_fault(faults, "%s and %s cannot be given together",
                          first, field->name);
            return;
        }

        first = field->name;
    }
}
