/*
 * A tree of what is found by a UUID.  A node is the first member of what it
 * is part of.
 */

#ifndef _NGX_MENTARA_UUID_TREE_H_INCLUDED_
#define _NGX_MENTARA_UUID_TREE_H_INCLUDED_


#include <ngx_mentara.h>


typedef struct {
    ngx_rbtree_node_t    node;
    ngx_mentara_uuid_t   id;
} ngx_mentara_uuid_node_t;


/* an empty one; nil: memory for the end of its branches */
void ngx_mentara_uuid_tree_init(ngx_rbtree_t *tree, ngx_rbtree_node_t *nil);

/* adds a node whose id is set and is not in the tree */
void ngx_mentara_uuid_tree_insert(ngx_rbtree_t *tree,
    ngx_mentara_uuid_node_t *n);

/* NULL: there is none */
ngx_mentara_uuid_node_t *ngx_mentara_uuid_tree_find(ngx_rbtree_t *tree,
    ngx_mentara_uuid_t *id);


#endif /* _NGX_MENTARA_UUID_TREE_H_INCLUDED_ */
