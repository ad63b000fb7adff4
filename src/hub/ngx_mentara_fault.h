/*
 * Points at which a test ends, stops or delays a process.  Only a build
 * with -DNGX_MENTARA_FAULTS=1 has them.
 */

#ifndef _NGX_MENTARA_FAULT_H_INCLUDED_
#define _NGX_MENTARA_FAULT_H_INCLUDED_


#if (NGX_MENTARA_FAULTS)

/* the test's own, called at each point; NULL: nothing happens there */
extern void (*ngx_mentara_fault_handler)(const char *point);

void ngx_mentara_fault(const char *point);

#else

#define ngx_mentara_fault(point)

#endif


#endif /* _NGX_MENTARA_FAULT_H_INCLUDED_ */
