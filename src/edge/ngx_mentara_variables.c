
#include <ngx_mentara_variables.h>
#include <ngx_mentara_request.h>


#define NGX_MENTARA_VAR_USER   0
#define NGX_MENTARA_VAR_ROUTE  1
#define NGX_MENTARA_VAR_TIME   2
#define NGX_MENTARA_VAR_CODE   3


static ngx_str_t ngx_mentara_variable_route(ngx_mentara_request_t *q);
static ngx_int_t ngx_mentara_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_variable_t  ngx_mentara_variables[] = {

    { ngx_string("mentara_user"), NULL, ngx_mentara_variable,
      NGX_MENTARA_VAR_USER, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("mentara_route"), NULL, ngx_mentara_variable,
      NGX_MENTARA_VAR_ROUTE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("mentara_pg_time"), NULL, ngx_mentara_variable,
      NGX_MENTARA_VAR_TIME, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("mentara_error_code"), NULL, ngx_mentara_variable,
      NGX_MENTARA_VAR_CODE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_mentara_variables_add(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_mentara_variables; v->name.len != 0; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_str_t
ngx_mentara_variable_route(ngx_mentara_request_t *q)
{
    ngx_str_t  s;

    ngx_str_null(&s);

    if (q->mlcf->socketio) {
        ngx_str_set(&s, "socketio");

    } else if (q->mlcf->websocket) {
        ngx_str_set(&s, "websocket");

    } else if (q->match == MENTARA_OK) {
        s.data = (u_char *) mentara_route_name(q->route.endpoint);
        s.len = ngx_strlen(s.data);
    }

    return s;
}


static ngx_int_t
ngx_mentara_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    u_char                 *p;
    ngx_str_t               s;
    ngx_mentara_request_t  *q;

    q = ngx_http_get_module_ctx(r, ngx_mentara_module);

    ngx_str_null(&s);

    if (q != NULL && data == NGX_MENTARA_VAR_USER && q->authenticated) {
        s = q->claims.sub;
    }

    if (q != NULL && data == NGX_MENTARA_VAR_ROUTE) {
        s = ngx_mentara_variable_route(q);
    }

    if (q != NULL && data == NGX_MENTARA_VAR_CODE && q->code != NULL) {
        s.data = (u_char *) q->code;
        s.len = ngx_strlen(s.data);
    }

    if (q != NULL && data == NGX_MENTARA_VAR_TIME) {
        p = ngx_pnalloc(r->pool, NGX_TIME_T_LEN + 4);
        if (p == NULL) {
            return NGX_ERROR;
        }

        s.data = p;
        s.len = ngx_sprintf(p, "%T.%03M", (time_t) q->pg_time / 1000,
                            q->pg_time % 1000) - p;
    }

    if (s.len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    v->len = s.len;
    v->data = s.data;

    return NGX_OK;
}
