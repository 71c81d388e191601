/* The client's side of the control socket: whole lines over a UNIX stream socket, with a time limit.
 * What the lines say (JSON) is the caller's business; PROTOCOL.md, "Control protocol".
 *
 * Every call waits at most `timeout_ms` (-1: without limit) and then returns -ETIMEDOUT. Never raises
 * SIGPIPE. After a failure only control_client_close() makes sense.
 */
#ifndef BATON_CONTROL_CLIENT_H
#define BATON_CONTROL_CLIENT_H

#include <stddef.h>

enum { CONTROL_CLIENT_CLOSED = 1 }; /* the other side has closed the connection */

struct control_client; /* opaque */

/* Connect to the socket at `path` and exchange versions.
 * Returns 0; CONTROL_CLIENT_CLOSED when the other side closes before it says its version;
 * -EPROTONOSUPPORT when that is another one; -ENOENT, -ECONNREFUSED when no baton runs there, -EACCES;
 * -ENAMETOOLONG beyond 107 bytes; -ETIMEDOUT, -ENOMEM, … `out` is written with 0 only. */
int control_client_open(struct control_client **out, const char *path, int timeout_ms);

/* Send one line of `length` bytes, without newline in it.
 * Returns 0; CONTROL_CLIENT_CLOSED (what the other side said before can still be received: why it turned
 * us away, perhaps); -EMSGSIZE; -EINVAL for a newline or NUL inside; -ETIMEDOUT, … */
int control_client_send(struct control_client *client, const char *text, size_t length, int timeout_ms);

/* Receive one line; `text` is NUL-terminated, the client's, and valid until the next call.
 * Returns 0; CONTROL_CLIENT_CLOSED (an unfinished last line is dropped); -EMSGSIZE, -EBADMSG as
 * control_line_take(); -ETIMEDOUT, … */
int control_client_receive(struct control_client *client, char **text, size_t *length, int timeout_ms);

/* The descriptor, to poll for reading; stays the client's. A line may be waiting in the buffer while
 * it is not readable: receive until -ETIMEDOUT with a limit of 0 first. */
int control_client_fd(const struct control_client *client);

/* Close and free. NULL is fine. */
void control_client_close(struct control_client *client);

#endif
