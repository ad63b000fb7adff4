
#include <ngx_mentara_directives.h>
#include <ngx_mentara_origin.h>


static ngx_mentara_auth_t *ngx_mentara_conf_auth(ngx_conf_t *cf,
    ngx_mentara_loc_conf_t *mlcf);


/* one object per level: a level with directives of its own inherits none */

static ngx_mentara_auth_t *
ngx_mentara_conf_auth(ngx_conf_t *cf, ngx_mentara_loc_conf_t *mlcf)
{
    if (mlcf->auth == NULL) {
        mlcf->auth = ngx_mentara_auth_create(cf);
    }

    return mlcf->auth;
}


char *
ngx_mentara_jwt_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t           *value, kid;
    ngx_mentara_auth_t  *a;

    a = ngx_mentara_conf_auth(cf, conf);
    if (a == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;
    ngx_str_null(&kid);

    if (cf->args->nelts == 4) {
        if (value[3].len <= 4
            || ngx_strncmp(value[3].data, "kid=", 4) != 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in "
                               "\"mentara_jwt_key\", it must be kid=",
                               &value[3]);
            return NGX_CONF_ERROR;
        }

        kid.data = value[3].data + 4;
        kid.len = value[3].len - 4;
    }

    return ngx_mentara_auth_add_key(cf, a, &value[1], &value[2], &kid);
}


char *
ngx_mentara_jwt_secret(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t           *value;
    ngx_mentara_auth_t  *a;

    a = ngx_mentara_conf_auth(cf, conf);
    if (a == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    return ngx_mentara_auth_add_secret(cf, a, &value[1], &value[2]);
}


char *
ngx_mentara_jwt_jwks(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    time_t               refresh;
    ngx_str_t           *value, s;
    ngx_mentara_auth_t  *a;

    a = ngx_mentara_conf_auth(cf, conf);
    if (a == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;
    refresh = 600;

    if (cf->args->nelts == 3) {
        s.data = value[2].data + 8;
        s.len = value[2].len - 8;

        if (value[2].len > 8
            && ngx_strncmp(value[2].data, "refresh=", 8) == 0)
        {
            refresh = ngx_parse_time(&s, 1);

        } else {
            refresh = NGX_ERROR;
        }

        if (refresh == (time_t) NGX_ERROR || refresh < 1) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in "
                               "\"mentara_jwt_jwks\", it must be like "
                               "refresh=10m", &value[2]);
            return NGX_CONF_ERROR;
        }
    }

    return ngx_mentara_auth_set_jwks(cf, a, &value[1], refresh);
}


char *
ngx_mentara_jwt_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    u_char              *p;
    ngx_str_t           *value, name, s;
    ngx_uint_t           i;
    ngx_mentara_auth_t  *a;

    a = ngx_mentara_conf_auth(cf, conf);
    if (a == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        name = value[i];
        ngx_str_null(&s);

        p = ngx_strlchr(name.data, name.data + name.len, '=');

        if (p != NULL) {
            s.data = p + 1;
            s.len = name.data + name.len - s.data;
            name.len = p - name.data;
        }

        if (ngx_mentara_auth_require(cf, a, &name, &s) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_mentara_jwt_leeway(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    time_t               leeway;
    ngx_str_t           *value;
    ngx_mentara_auth_t  *a;

    a = ngx_mentara_conf_auth(cf, conf);
    if (a == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;
    leeway = ngx_parse_time(&value[1], 1);

    if (leeway == (time_t) NGX_ERROR || leeway > 300) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time \"%V\" in \"mentara_jwt_leeway\", "
                           "it must be from 0s to 5m", &value[1]);
        return NGX_CONF_ERROR;
    }

    ngx_mentara_auth_set_leeway(a, leeway);

    return NGX_CONF_OK;
}


char *
ngx_mentara_set_origin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mentara_loc_conf_t *mlcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    if (mlcf->origins == NGX_CONF_UNSET_PTR) {
        mlcf->origins = ngx_array_create(cf->pool, 2, sizeof(ngx_str_t));
        if (mlcf->origins == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_mentara_origin_add(cf, mlcf->origins, &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}
