/* One try of an http: check. */
#ifndef BATON_PROBE_HTTP_H
#define BATON_PROBE_HTTP_H

#include "supervisor/process/probe.h"

struct probe_http;

/* Pure: the status of the answer that begins `bytes`, 1xx answers skipped: 100..999; 0: not complete yet (the
 * end of the headers is missing); -EPROTO: not HTTP. */
int probe_http_status(const char *bytes, size_t length);

/* Connect and ask; `answered` is called once from the loop unless probe_http_stop() comes first, which must
 * follow in any case. 0 or -errno. */
int probe_http_start(struct ev_loop *loop, const struct probe_target *target, probe_answer_fn *answered,
                     void *arg, struct probe_http **out);
void probe_http_stop(struct probe_http *http);

#endif
