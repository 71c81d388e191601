/* The wrong things a server can do, each once and on purpose. */
#ifndef BATON_TESTS_MISBEHAVIOUR_H
#define BATON_TESTS_MISBEHAVIOUR_H

#include <stdbool.h>
#include <stddef.h>

enum { MISBEHAVE_REQUEST_BYTES = 8192 };

/* What becomes of the connection afterwards. */
enum after { KEEP, CLOSE, RESET };

struct request {
    char head[MISBEHAVE_REQUEST_BYTES];
    bool post, close;
    size_t body_bytes;    /* as announced */
    size_t body_received; /* in the same read as the head */
    unsigned index;       /* on this connection, from 1 */
    const char *argument; /* the path after the name of the behaviour: "503" */
};

/* Do to the connection `fd` what the path of the request asks for, see the table at the end of
 * misbehaviour.c. Blocks as long as that takes. */
enum after misbehave(int fd, struct request *request);

#endif
