/*
 * ISO 8601 times as search takes them: YYYY-MM-DD, or that with
 * THH:MM[:SS[.fraction]] and an optional Z or +HH:MM or -HH:MM.  Without a
 * zone it is UTC.
 */

#ifndef _MENTARA_TIME_H_INCLUDED_
#define _MENTARA_TIME_H_INCLUDED_


#include <mentara.h>


/* MENTARA_OK or MENTARA_BAD; every value that passes, Postgres can read */
int mentara_time_check(const char *text, size_t len);


#endif /* _MENTARA_TIME_H_INCLUDED_ */
