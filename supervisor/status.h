/* What `baton status` shows, as the object that proto/PROTOCOL.md describes. */
#ifndef BATON_STATUS_H
#define BATON_STATUS_H

#include <jansson.h>

#include "supervisor/service.h"

/* One service. New object. */
json_t *status_service(const struct service *service);

/* One line for systemd's STATUS=: "blog 8 serving; shop 3 starting, 2 serving". */
void status_line(const struct service *services, char *text, size_t bytes);

#endif
