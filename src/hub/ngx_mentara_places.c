
#include <ngx_mentara_places.h>
#include <ngx_mentara_fault.h>


static uint32_t *ngx_mentara_place_chain(ngx_mentara_log_t *log,
    ngx_mentara_uuid_t *conversation);
static ngx_int_t ngx_mentara_place_take(ngx_mentara_log_t *log);
static ngx_uint_t ngx_mentara_place_old(ngx_mentara_log_t *log,
    ngx_mentara_place_t *place, ngx_uint_t round);


/* ids are random in their second half, whatever their version */

static uint32_t *
ngx_mentara_place_chain(ngx_mentara_log_t *log,
    ngx_mentara_uuid_t *conversation)
{
    uint64_t  hash;

    ngx_memcpy(&hash, conversation->data + 8, sizeof(uint64_t));

    return &log->chains[hash % log->nplaces];
}


ngx_mentara_place_t *
ngx_mentara_place_find(ngx_mentara_log_t *log,
    ngx_mentara_uuid_t *conversation)
{
    uint32_t              i;
    ngx_mentara_place_t  *place;

    i = *ngx_mentara_place_chain(log, conversation);

    while (i != 0) {
        place = &log->places[i - 1];

        if (ngx_memcmp(&place->conversation, conversation,
                       sizeof(ngx_mentara_uuid_t))
            == 0)
        {
            return place;
        }

        i = place->next;
    }

    return NULL;
}


/* filled first, then linked by one store */

ngx_mentara_place_t *
ngx_mentara_place_add(ngx_mentara_log_t *log,
    ngx_mentara_uuid_t *conversation, uint64_t last)
{
    uint32_t             *chain;
    ngx_int_t             i;
    ngx_mentara_place_t  *place;

    i = ngx_mentara_place_take(log);
    if (i == NGX_DECLINED) {
        return NULL;
    }

    chain = ngx_mentara_place_chain(log, conversation);

    place = &log->places[i];
    place->conversation = *conversation;
    place->last = last;
    place->last_xid = 0;
    place->max_xid = 0;
    place->used = 1;
    place->next = *chain;

    ngx_memory_barrier();
    ngx_mentara_fault("place_filled");

    *chain = i + 1;

    return place;
}


/*
 * The clock: two rounds that spare what was used lately and what is not
 * below the floor, then one that takes whatever may be forgotten.  A place
 * that no chain leads to is free: never used, or lost by a death.
 */

static ngx_int_t
ngx_mentara_place_take(ngx_mentara_log_t *log)
{
    uint32_t              i, *link;
    ngx_uint_t            n, round;
    ngx_mentara_place_t  *place;

    for (n = 0; n < 3 * log->nplaces; n++) {
        round = n / log->nplaces;

        i = log->head->hand % log->nplaces;
        log->head->hand = i + 1;

        place = &log->places[i];
        link = ngx_mentara_place_chain(log, &place->conversation);

        while (*link != 0 && *link != i + 1) {
            link = &log->places[*link - 1].next;
        }

        if (*link == 0) {
            return i;
        }

        if (place->used && round < 2) {
            place->used = 0;
            continue;
        }

        if (!ngx_mentara_place_old(log, place, round)) {
            continue;
        }

        *link = place->next;

        ngx_memory_barrier();
        ngx_mentara_fault("place_unlinked");

        log->head->evicted++;

        return i;
    }

    return NGX_DECLINED;
}


/*
 * Events of a conversation commit in the order of event_seq: a snapshot that
 * sees the last of them sees them all.
 */

static ngx_uint_t
ngx_mentara_place_old(ngx_mentara_log_t *log, ngx_mentara_place_t *place,
    ngx_uint_t round)
{
    ngx_mentara_snapshot_t  *s;

    s = &log->head->snapshots[log->head->snapshot_no & 1];

    if (place->max_xid < s->xmin) {
        return 1;
    }

    return round == 2 && ngx_mentara_snapshot_sees(s, place->last_xid);
}


void
ngx_mentara_places_clear(ngx_mentara_log_t *log)
{
    ngx_memzero(log->chains, log->nplaces * sizeof(uint32_t));
}
