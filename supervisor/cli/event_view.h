/* Events as people read them: one line each, more when their text has more. */
#ifndef BATON_EVENT_VIEW_H
#define BATON_EVENT_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Widths that lines of one listing share; start with { 0 }. */
struct event_view {
    size_t moment_width, service_width;
};

/* Make room for these events (an array). `now`: unix time; the moments of another day have a date. */
void event_view_fit(struct event_view *view, const json_t *events, double now);

/* "14:02:11  blog  generation 9 started: …" */
void event_view_print(const struct event_view *view, const json_t *event, double now, FILE *to);

/* One event with everything that is known about it. */
void event_view_print_details(const json_t *event, double now, FILE *to);

#endif
