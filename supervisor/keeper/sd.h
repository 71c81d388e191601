/* systemd's side of the keeper without libsystemd: sd_notify(3), the descriptor store, LISTEN_FDS. */
#ifndef BATON_SD_H
#define BATON_SD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Positive outcome: systemd's queue is full; try again in a while (there is nothing to poll for). */
enum { SD_AGAIN = 1 };

enum { SD_FIRST_FD = 3 };

struct sd {
    int fd; /* owned; -1: nobody wants to be notified */
    struct sockaddr_un address;
    socklen_t length;
    uint64_t watchdog_ms; /* how often WATCHDOG=1 is due: half the time that was asked for; 0: never */
};

/* Take NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment, so that no child inherits them.
 * An address that cannot be used is as good as none. */
void sd_open(struct sd *sd);

/* One datagram, with one descriptor unless `fd` is -1; never blocks. 0: sent, or there is nobody to send it
 * to; SD_AGAIN. */
int sd_send(const struct sd *sd, const char *text, int fd);

/* FDSTORE=1 of `fd` under `name`, or FDSTOREREMOVE=1 of `name` when `fd` is -1. FDPOLL=0: systemd would drop
 * whatever shows HUP or ERR, a connection's end or the pidfd of a process that has ended. */
int sd_store(const struct sd *sd, const char *name, int fd);

/* Take LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES out of the environment. The descriptors that are meant for
 * this process begin at SD_FIRST_FD; returns how many there are. `names` points to the first name (NULL: none
 * were given) for sd_next_name(). */
int sd_listen_fds(char **names);

/* The name of the next descriptor, ""  when there is none; moves `names` behind it. */
const char *sd_next_name(char **names);

#endif
