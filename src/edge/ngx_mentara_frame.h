/*
 * A frame that many sockets of one worker share: written once, freed by the
 * last one that has sent it.
 */

#ifndef _NGX_MENTARA_FRAME_H_INCLUDED_
#define _NGX_MENTARA_FRAME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <mentara_ws.h>


typedef struct {
    uint32_t             refs;
    uint16_t             opcode;     /* MENTARA_WS_..., 0: raw octets */
    uint16_t             start;      /* of the frame in data */
    size_t               len;        /* of the frame, its head included */
    ngx_str_t            payload;
    u_char               data[1];
} ngx_mentara_frame_t;


/*
 * An unmasked final frame with room for len octets at payload.data, which the
 * caller fills before it is sent.  It has one reference.  NULL: no memory.
 */
ngx_mentara_frame_t *ngx_mentara_frame_create(ngx_uint_t opcode, size_t len,
    ngx_log_t *log);

/* the same with rsv1, once its payload is there and has shrunk to len */
void ngx_mentara_frame_compressed(ngx_mentara_frame_t *f, size_t len);

/* len octets as they are */
ngx_mentara_frame_t *ngx_mentara_frame_raw(u_char *data, size_t len,
    ngx_log_t *log);

#define ngx_mentara_frame_ref(f)  ((f)->refs++)

/* drops one reference; NULL is allowed */
void ngx_mentara_frame_unref(ngx_mentara_frame_t *f);


#endif /* _NGX_MENTARA_FRAME_H_INCLUDED_ */
