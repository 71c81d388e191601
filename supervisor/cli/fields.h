/* Reading answers of the control socket: what is missing, null or of another type reads as empty. */
#ifndef BATON_FIELDS_H
#define BATON_FIELDS_H

#include <jansson.h>
#include <stdbool.h>

const char *fields_text(const json_t *object, const char *key); /* "" */
json_int_t fields_count(const json_t *object, const char *key); /* 0 */
double fields_number(const json_t *object, const char *key);    /* 0; integers count as well */
bool fields_flag(const json_t *object, const char *key);        /* false */
bool fields_known(const json_t *object, const char *key);       /* it is there and not null */

/* The services of a "status"; one of them by name, NULL: there is none. Borrowed. */
json_t *fields_service(const json_t *status, const char *name);

#endif
