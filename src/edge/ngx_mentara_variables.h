/*
 * $mentara_user, $mentara_route, $mentara_pg_time, $mentara_error_code
 */

#ifndef _NGX_MENTARA_VARIABLES_H_INCLUDED_
#define _NGX_MENTARA_VARIABLES_H_INCLUDED_


#include <ngx_mentara_conf.h>


/* preconfiguration; NGX_OK or NGX_ERROR */
ngx_int_t ngx_mentara_variables_add(ngx_conf_t *cf);


#endif /* _NGX_MENTARA_VARIABLES_H_INCLUDED_ */
