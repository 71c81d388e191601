/* baton-keeper -- SUPERVISOR [ARG...]
 *
 * The main process of baton, so small that it does not fail. It keeps descriptors for the supervisor, starts
 * it anew when it dies, reaps every child and orphan, forwards signals and speaks to systemd. It decides
 * nothing, reads nothing a user wrote, allocates nothing and never waits for anybody but in poll(2). */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/channel.h"
#include "supervisor/keeper/launch.h"
#include "supervisor/keeper/say.h"
#include "supervisor/keeper/session.h"
#include "supervisor/keeper/setup.h"
#include "supervisor/keeper/store.h"
#include "supervisor/keeper/vault.h"
#include "supervisor/keeper/wire.h"

enum {
    RESERVED_FDS = 256,
    MESSAGES_PER_TURN = 64,
    RETRY_MS = 10,    /* for what cannot be polled for: systemd's queue, descriptors in flight */
    STOP_MS = 10000,  /* between TERM and KILL when the keeper ends the workers itself */
    KILL_MS = 5000,   /* how long a killed process may take to end */
    LAST_WORDS = 100, /* tries to tell systemd at the end */
    EXIT_USAGE = 2,
};

static struct {
    struct vault_table vault;
    struct session session;
    struct launch launch;
    struct store store;
    bool restored; /* systemd gave back the vault of a keeper that crashed */
    int signals;   /* signalfd */
    uint64_t watchdog_at_ms;
    bool finishing;     /* the supervisor said FINISH */
    bool ending;        /* every process is being ended, no supervisor is started any more */
    bool killed;        /* … with SIGKILL */
    uint64_t end_at_ms; /* when patience ends */
    int exit_code;
} keeper;

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- the end ----------------------------------------------------------------------------------------- */

static void end_processes(int signo, uint64_t patience_ms)
{
    keeper.ending = true;
    keeper.killed = signo == SIGKILL;
    keeper.end_at_ms = now_ms() + patience_ms;
    vault_signal(&keeper.vault, signo);
}

/* Nothing lives on, so the next start must not find descriptors of this life in systemd's store. */
static _Noreturn void leave(void)
{
    for (size_t i = keeper.vault.count; i-- > 0;)
        vault_remove(&keeper.vault, keeper.vault.records[i].entry.id);
    for (int i = 0; i < LAST_WORDS && store_flush(&keeper.store, &keeper.vault); i++)
        poll(NULL, 0, RETRY_MS);
    _exit(keeper.exit_code);
}

static void continue_ending(void)
{
    bool late = now_ms() >= keeper.end_at_ms;

    if (keeper.launch.pid == 0 && (vault_signal(&keeper.vault, 0) == 0 || (late && keeper.killed)))
        leave();
    if (late)
        end_processes(SIGKILL, KILL_MS);
}

/* A stop that no supervisor lives long enough to carry out. */
static void end_without_supervisor(void)
{
    say("no supervisor can stop the workers: ending them");
    launch_kill(&keeper.launch);
    keeper.exit_code = EXIT_FAILURE;
    end_processes(SIGTERM, STOP_MS);
}

/* --- what the supervisor says ------------------------------------------------------------------------ */

static void on_store(const struct wire_entry *entry, int fd)
{
    struct vault_record *record = vault_find(&keeper.vault, entry->id);
    unsigned to_tell = record ? record->to_tell : 0;
    int error = -EPERM;

    if (vault_is_own(entry->id))
        close(fd);
    else
        error = vault_put(&keeper.vault, entry->id, entry->pid, fd, now_ms(), &record);
    if (!error) {
        record->to_tell = (uint16_t)(to_tell + 1);
        return;
    }
    keeper.session.refused = *entry;
    keeper.session.refused.status = -error;
}

static const char *on_message(const struct wire_message *message, struct channel_packet *packet)
{
    switch (message->type) {
    case WIRE_STORE:
        on_store(&message->entry, packet->fds[0]);
        packet->fds[0] = -1;
        return NULL;
    case WIRE_DROP:
        if (!vault_is_own(message->entry.id))
            vault_remove(&keeper.vault, message->entry.id);
        return NULL;
    case WIRE_SIGNAL_DONE:
        session_signal_done(&keeper.session, message->number);
        return NULL;
    case WIRE_HELLO:
        launch_hello(&keeper.launch, &keeper.vault, now_ms());
        return NULL;
    case WIRE_NOTIFY:
        store_notify(&keeper.store, message->text);
        store_flush(&keeper.store, &keeper.vault);
        return NULL;
    case WIRE_FINISH:
        keeper.finishing = true;
        keeper.exit_code = message->number & 0xff;
        return NULL;
    default:
        return "only the keeper says that";
    }
}

/* One message of the supervisor. Returns NULL, or what is wrong with it. */
static const char *take_packet(struct channel_packet *packet)
{
    static struct wire_message message;
    const char *wrong = wire_decode(&message, packet->bytes, packet->size);

    if (!wrong && packet->count != wire_descriptors(&message))
        wrong = "the message has not the descriptors of its type";
    if (!wrong)
        wrong = on_message(&message, packet);
    channel_packet_close(packet);
    return wrong;
}

/* While something waits that has no room for a second of its kind, nothing more is read. */
static bool is_blocked(void)
{
    return keeper.session.refused.id[0] || keeper.store.text[0];
}

static void read_messages(void)
{
    struct channel_packet packet;

    for (int i = 0; i < MESSAGES_PER_TURN && !is_blocked(); i++) {
        int outcome = channel_receive(keeper.session.channel, &packet);
        const char *wrong = outcome == 0 ? take_packet(&packet) : "its channel is broken";

        if (outcome == CHANNEL_AGAIN)
            return;
        if (!wrong)
            continue;
        if (outcome != CHANNEL_CLOSED) {
            say("supervisor pid=%d is ended: %s", keeper.launch.pid, wrong);
            keeper.launch.broken = true;
        }
        launch_kill(&keeper.launch); /* also one that lives on with its channel closed */
        session_end(&keeper.session);
        return;
    }
}

/* --- processes and signals --------------------------------------------------------------------------- */

/* What it said before it died counts: a worker may live whose pidfd is in there. */
static void drain_messages(void)
{
    struct channel_packet packet;

    while (keeper.session.channel >= 0 && channel_receive(keeper.session.channel, &packet) == 0)
        take_packet(&packet);
    session_end(&keeper.session);
}

static void on_supervisor_exit(int status)
{
    drain_messages();
    if (keeper.finishing || keeper.ending) {
        keeper.launch.pid = 0;
        if (!keeper.ending)
            end_processes(SIGKILL, KILL_MS);
        return;
    }
    launch_died(&keeper.launch, &keeper.vault, status, now_ms());
    if (WIFEXITED(status) && WEXITSTATUS(status) == LAUNCH_NOT_EXECUTED && vault_is_empty(&keeper.vault))
        _exit(EXIT_FAILURE); /* said by the child */
    if (session_wants_stop(&keeper.session) && launch_is_crash_loop(&keeper.launch))
        end_without_supervisor();
}

/* A stopped supervisor would stop everything; a stopped worker is its own business. */
static void end_stopped_supervisor(void)
{
    siginfo_t info = { 0 };

    if (keeper.launch.pid == 0 || waitid(P_PID, (id_t)keeper.launch.pid, &info, WSTOPPED | WNOHANG) < 0 ||
        info.si_pid == 0)
        return;
    say("supervisor pid=%d is ended: it was stopped by signal %d", keeper.launch.pid, info.si_status);
    launch_kill(&keeper.launch);
}

static void reap(void)
{
    int status;
    pid_t pid;

    end_stopped_supervisor();
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == keeper.launch.pid)
            on_supervisor_exit(status);
        else
            vault_reap(&keeper.vault, pid, status, now_ms());
    }
}

static void on_signal(int signo)
{
    bool stop = signo == SIGTERM || signo == SIGINT || signo == SIGQUIT;

    session_signal(&keeper.session, signo);
    if (stop && keeper.ending)
        end_processes(SIGKILL, KILL_MS);
    else if (stop && launch_is_crash_loop(&keeper.launch))
        end_without_supervisor();
}

static void read_signals(void)
{
    struct signalfd_siginfo info;

    while (read(keeper.signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGCHLD)
            reap();
        else
            on_signal((int)info.ssi_signo);
    }
}

/* --- the loop ---------------------------------------------------------------------------------------- */

static void start_supervisor(void)
{
    struct launch *launch = &keeper.launch;
    bool first = launch->starts == 0;
    int channel = launch_start(launch, &keeper.vault, now_ms());

    if (channel < 0 && first && vault_is_empty(&keeper.vault))
        _exit(EXIT_FAILURE);
    if (channel < 0)
        return;
    keeper.session.start.restarted = !first || keeper.restored;
    keeper.session.start.restarts = launch->starts - 1;
    keeper.session.start.previous_status = launch->previous_status;
    keeper.session.start.safe_mode = launch->fast_deaths >= LAUNCH_SAFE_MODE;
    session_begin(&keeper.session, &keeper.vault, channel);
}

static void ping_watchdog(void)
{
    if (keeper.store.sd.watchdog_ms == 0 || now_ms() < keeper.watchdog_at_ms)
        return;
    sd_send(&keeper.store.sd, "WATCHDOG=1", -1);
    keeper.watchdog_at_ms = now_ms() + keeper.store.sd.watchdog_ms;
}

/* How long poll may sleep; -1, the normal case: until something happens. */
static int timeout_ms(bool retry)
{
    uint64_t now = now_ms(), at = retry ? now + RETRY_MS : UINT64_MAX;

    if (keeper.ending && keeper.end_at_ms < at)
        at = keeper.end_at_ms;
    if (!keeper.ending && keeper.launch.pid == 0 && keeper.launch.start_at_ms < at)
        at = keeper.launch.start_at_ms;
    if (keeper.store.sd.watchdog_ms > 0 && keeper.watchdog_at_ms < at)
        at = keeper.watchdog_at_ms;
    if (at == UINT64_MAX)
        return -1;
    return at <= now ? 0 : (int)(at - now < INT_MAX ? at - now : INT_MAX);
}

static void turn(void)
{
    static struct pollfd fds[2 + VAULT_RECORDS_MAX];
    bool retry = store_flush(&keeper.store, &keeper.vault);
    int outcome = session_flush(&keeper.session, &keeper.vault);
    short events = (short)((is_blocked() ? 0 : POLLIN) | (outcome == CHANNEL_AGAIN ? POLLOUT : 0));
    size_t count = 2 + vault_foreign(&keeper.vault, fds + 2);

    fds[0] = (struct pollfd){ .fd = keeper.signals, .events = POLLIN };
    fds[1] = (struct pollfd){ .fd = events ? keeper.session.channel : -1, .events = events };
    if (poll(fds, count, timeout_ms(retry || outcome < 0)) < 0)
        return; /* only for want of memory: the next turn asks again */
    if (count > 2)
        vault_check_foreign(&keeper.vault);
    if (fds[0].revents)
        read_signals();
    if (fds[1].revents && keeper.session.channel >= 0)
        read_messages();
    ping_watchdog();
}

/* --- start ------------------------------------------------------------------------------------------- */

/* The rest of RLIMIT_NOFILE is for what is not in the vault, the supervisor's connections for instance: its
 * limit is the same and it holds the same descriptors. */
static void set_limits(void)
{
    struct rlimit before;
    size_t reserved, room;

    setup_limit(&before);
    keeper.session.start.nofile_soft = before.rlim_cur;
    keeper.session.start.nofile_hard = before.rlim_max;
    reserved = before.rlim_max / 4 < RESERVED_FDS ? before.rlim_max / 4 : RESERVED_FDS;
    room = before.rlim_max - reserved;
    keeper.vault.limit = room < VAULT_RECORDS_MAX - VAULT_OWN ? room : VAULT_RECORDS_MAX - VAULT_OWN;
}

static int prepare(void)
{
    char *names;
    int count = sd_listen_fds(&names);

    setup_descriptors(SD_FIRST_FD + count);
    keeper.session.channel = keeper.launch.executable = keeper.launch.previous_status = -1;
    set_limits();
    keeper.signals = setup_signals();
    if (keeper.signals < 0)
        return keeper.signals;
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return -errno;
    store_open(&keeper.store, &keeper.vault, count, names, now_ms());
    prctl(PR_SET_DUMPABLE, 0); /* the descriptors are nobody's business; after /proc/self was needed */
    keeper.restored = launch_end_old(&keeper.vault);
    if (keeper.restored) /* its workers serve: systemd, still waiting for the start, must know at once */
        store_notify(&keeper.store, "READY=1\nSTATUS=restored, starting the supervisor");
    store_flush(&keeper.store, &keeper.vault);
    return 0;
}

int main(int argc, char *argv[])
{
    int error;

    if (argc < 3 || strcmp(argv[1], "--") != 0) {
        say("usage: baton-keeper -- SUPERVISOR [ARG...]; `baton run` starts it");
        return EXIT_USAGE;
    }
    keeper.launch.argv = argv + 2;
    error = prepare();
    if (error) {
        say("cannot start: %s", strerror(-error));
        return EXIT_FAILURE;
    }
    for (;;) {
        if (keeper.ending)
            continue_ending();
        else if (keeper.launch.pid == 0 && now_ms() >= keeper.launch.start_at_ms)
            start_supervisor();
        turn();
    }
}
