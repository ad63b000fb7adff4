
#include <ngx_mentara_uuid_tree.h>


static ngx_rbtree_key_t ngx_mentara_uuid_key(ngx_mentara_uuid_t *id);
static void ngx_mentara_uuid_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);


void
ngx_mentara_uuid_tree_init(ngx_rbtree_t *tree, ngx_rbtree_node_t *nil)
{
    ngx_rbtree_init(tree, nil, ngx_mentara_uuid_insert);
}


void
ngx_mentara_uuid_tree_insert(ngx_rbtree_t *tree, ngx_mentara_uuid_node_t *n)
{
    n->node.key = ngx_mentara_uuid_key(&n->id);

    ngx_rbtree_insert(tree, &n->node);
}


/* the last octets of a UUID of version 7 are random */

static ngx_rbtree_key_t
ngx_mentara_uuid_key(ngx_mentara_uuid_t *id)
{
    ngx_rbtree_key_t  key;

    ngx_memcpy(&key, id->data + 16 - sizeof(key), sizeof(key));

    return key;
}


static void
ngx_mentara_uuid_insert(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    int                       less;
    ngx_rbtree_node_t       **p;
    ngx_mentara_uuid_node_t  *n, *t;

    n = (ngx_mentara_uuid_node_t *) node;

    for ( ;; ) {
        t = (ngx_mentara_uuid_node_t *) temp;

        less = (node->key != temp->key)
               ? node->key < temp->key
               : ngx_memcmp(n->id.data, t->id.data, 16) < 0;

        p = less ? &temp->left : &temp->right;

        if (*p == sentinel) {
            break;
        }

        temp = *p;
    }

    *p = node;
    node->parent = temp;
    node->left = sentinel;
    node->right = sentinel;
    ngx_rbt_red(node);
}


ngx_mentara_uuid_node_t *
ngx_mentara_uuid_tree_find(ngx_rbtree_t *tree, ngx_mentara_uuid_t *id)
{
    int                       rc;
    ngx_rbtree_key_t          key;
    ngx_rbtree_node_t        *node;
    ngx_mentara_uuid_node_t  *n;

    key = ngx_mentara_uuid_key(id);
    node = tree->root;

    while (node != tree->sentinel) {
        n = (ngx_mentara_uuid_node_t *) node;

        if (key != node->key) {
            node = (key < node->key) ? node->left : node->right;
            continue;
        }

        rc = ngx_memcmp(id->data, n->id.data, 16);

        if (rc == 0) {
            return n;
        }

        node = (rc < 0) ? node->left : node->right;
    }

    return NULL;
}
