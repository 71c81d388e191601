#include "supervisor/core/config_keys.h"

#include <inttypes.h>
#include <string.h>

#include "supervisor/core/config.h"
#include "supervisor/core/spelling.h"

#define BATON(field) SECTION_BATON, offsetof(struct config, field)
#define LISTENER(field) SECTION_LISTENER, offsetof(struct config_listener, field)
#define SERVICE(field) SECTION_SERVICE, offsetof(struct config_service, field)

enum { DAY_MS = 86400000 };

/* clang-format off */
const struct config_key config_keys[] = {
    { "state_dir", BATON(state_dir), KIND_PATH, NULL,
        .help = "What must survive a stop (generation numbers and events) is kept in a directory here, named like the "
                "instance. Without it: /var/lib/baton for root, else $XDG_STATE_HOME/baton or "
                "~/.local/state/baton. A change counts from the next start." },
    { "log", BATON(log), KIND_OUTPUT, "stderr",
        .help = "Where baton's own log goes. SIGUSR1 opens a file anew." },
    { "include", BATON(include), KIND_PATTERNS, NULL, .flags = KEY_REPEATS | KEY_NO_OPTION | KEY_NOT_TEXT,
        .help = "More files with [listener NAME] and [service NAME] sections. A relative path begins at the "
                "directory of the file that says it; *, ? and [...] match names. A pattern that matches nothing is "
                "fine, a plain path must exist. An included file cannot include others." },

    { "address", LISTENER(address), KIND_ADDRESS, NULL, .flags = KEY_REQUIRED | KEY_NO_OPTION,
        .help = "Where to listen." },
    { "backlog", LISTENER(backlog), KIND_NUMBER, "4096", .min = 1, .max = 65535, .flags = KEY_STREAM,
        .help = "Length of the accept queue. The kernel cuts it to net.core.somaxconn." },
    { "v6only", LISTENER(v6only), KIND_FLAG, "no", .flags = KEY_IPV6,
        .help = "An IPv6 wildcard address also accepts IPv4, unless this is yes." },
    { "mode", LISTENER(mode), KIND_OCTAL, "0666", .max = 0777, .flags = KEY_UNIX,
        .help = "Permissions of the socket's path." },
    { "socket_user", LISTENER(socket_user), KIND_ACCOUNT, NULL, .flags = KEY_UNIX,
        .help = "Owner of the socket's path." },
    { "socket_group", LISTENER(socket_group), KIND_ACCOUNT, NULL, .flags = KEY_UNIX,
        .help = "Group of the socket's path." },

    { "command", SERVICE(command), KIND_COMMAND, NULL, .flags = KEY_REQUIRED | KEY_NO_OPTION,
        .help = "The program and its arguments. A name without a slash is searched in PATH. Found anew for every "
                "generation, so a symbolic link to a release may move." },
    { "listen", SERVICE(listen), KIND_NAMES, NULL, .flags = KEY_NO_OPTION,
        .help = "The listeners this service serves. A listener belongs to one service." },
    { "user", SERVICE(user), KIND_ACCOUNT, NULL,
        .help = "The workers run as this user. Without it: as baton itself." },
    { "group", SERVICE(group), KIND_ACCOUNT, NULL,
        .help = "The workers' group. Without it: the user's." },
    { "directory", SERVICE(directory), KIND_PATH, NULL,
        .help = "The workers' working directory, resolved anew for every generation. Without it: where baton was "
                "started." },
    { "umask", SERVICE(umask), KIND_OCTAL, "0022", .max = 0777,
        .help = "Permission bits that files made by the workers do not get." },
    { "limit_nofile", SERVICE(limit_nofile), KIND_LARGE, "0", .min = 0, .max = UINT64_C(1) << 30,
        .help = "How many descriptors a worker may have open: its soft limit; the hard one is raised to it where "
                "baton may. 0: what baton was started with." },
    { "workers", SERVICE(workers), KIND_NUMBER, "1", .min = 1, .max = 64,
        .help = "Processes per generation." },
    { "environment", SERVICE(environment), KIND_ENVIRONMENT, NULL, .flags = KEY_REPEATS,
        .help = "Variables for the workers, beside baton's own environment. Those of environment_file win over "
                "them." },
    { "environment_file", SERVICE(environment_file), KIND_PATH, NULL,
        .help = "A file of NAME=VALUE lines, read anew for every generation." },
    { "output", SERVICE(output), KIND_OUTPUT, "stderr",
        .help = "Where the workers' stdout and stderr go. stderr is baton's own." },
    { "ready", SERVICE(ready), KIND_READY, "auto",
        .help = "What proves that a new worker can serve. native: it says READY over baton's channel. notify: it "
                "says READY=1 to NOTIFY_SOCKET. auto: the first of the two. http:/PATH: a GET on a private socket, "
                "which the worker gets under the name probe, is answered with STATUS (without it: any 2xx). "
                "exec:COMMAND exits with 0. alive:DURATION: it still runs after that time, which proves little." },
    { "ready_timeout", SERVICE(ready_timeout_ms), KIND_DURATION, "30s", .min = 1, .max = DAY_MS,
        .help = "A new generation that is not ready by then is given up, and the old one goes on serving." },
    { "verify", SERVICE(verify), KIND_VERIFY, "none",
        .help = "One more check of a ready generation before it gets any traffic." },
    { "drain", SERVICE(drain), KIND_DRAIN, "auto",
        .help = "How an old worker is told to finish. auto: DRAIN to a native worker, stop_signal to any other. "
                "signal: always stop_signal." },
    { "drain_timeout", SERVICE(drain_timeout_ms), KIND_DURATION, "60s", .min = 0, .max = CONFIG_INFINITE_MS,
        .help = "How long an old worker may take to finish its connections before stop_signal is sent." },
    { "stop_signal", SERVICE(stop_signal), KIND_SIGNAL, "TERM",
        .help = "The signal that asks a worker to end." },
    { "stop_timeout", SERVICE(stop_timeout_ms), KIND_DURATION, "10s", .min = 0, .max = DAY_MS,
        .help = "How long a worker may take to end after stop_signal before it is killed." },
    { "max_old", SERVICE(max_old), KIND_NUMBER, "2", .min = 1, .max = 16,
        .help = "How many retired generations may be alive at once. The next upgrade is refused while there are "
                "more." },
};
/* clang-format on */
const size_t config_key_count = sizeof config_keys / sizeof *config_keys;

const char *const config_section_names[SECTION_COUNT] = { "baton", "listener", "service" };

/* Keys of the design that this version does not have: whoever writes one must be told so. */
static const char *const planned[SECTION_COUNT][24] = {
    [SECTION_LISTENER] = { "rescue" },
    [SECTION_SERVICE] = { "adopt", "canary", "sticky", "staff", "judge", "metrics", "on_held", "held_timeout",
                          "soak", "drain_idle", "stop_delay", "owner", "prepare", "on_commit", "on_revert",
                          "memory_max", "dialect", "watchdog" },
};

const struct config_key *config_keys_find(enum config_section section, const char *name)
{
    for (size_t i = 0; i < config_key_count; i++) {
        if (config_keys[i].section == section && !strcmp(config_keys[i].name, name))
            return &config_keys[i];
    }
    return NULL;
}

size_t config_keys_index(const struct config_key *key)
{
    return (size_t)(key - config_keys);
}

bool config_keys_is_planned(enum config_section section, const char *name)
{
    for (const char *const *p = planned[section]; *p; p++) {
        if (!strcmp(*p, name))
            return true;
    }
    return false;
}

const struct config_key *config_keys_nearest(enum config_section section, const char *name)
{
    struct spelling spelling = { 0 };
    const struct config_key *nearest = NULL;

    for (size_t i = 0; i < config_key_count; i++) {
        if (config_keys[i].section == section && spelling_offer(&spelling, name, config_keys[i].name))
            nearest = &config_keys[i];
    }
    return nearest;
}

static void print_duration_range(const struct config_key *key, FILE *to)
{
    char low[32], high[32];
    bool endless = key->max == CONFIG_INFINITE_MS;

    config_format_duration(key->min, low);
    config_format_duration(endless ? DAY_MS : key->max, high);
    if (endless)
        fprintf(to, "a duration (250ms, 1.5s, 5m, 1h), 0 or infinite");
    else
        fprintf(to, "a duration from %s to %s", low, high);
}

void config_keys_print_allowed(const struct config_key *key, FILE *to)
{
    static const char *const fixed[] = {
        [KIND_ADDRESS] = "PORT, IPV4:PORT, [IPV6]:PORT or unix:/PATH (udp: may stand before the first three)",
        [KIND_FLAG] = "yes or no",
        [KIND_SIGNAL] =
            "a signal by name (TERM, INT, QUIT, HUP, USR1 ...) or by number from 1 to 31, but not KILL "
            "or STOP",
        [KIND_PATH] = "an absolute path",
        [KIND_ACCOUNT] = "a name or a number",
        [KIND_NAMES] = "names of listeners",
        [KIND_COMMAND] = "a program and its arguments, quoted as in a shell",
        [KIND_ENVIRONMENT] = "words NAME=VALUE, quoted as in a shell",
        [KIND_PATTERNS] = "paths or patterns",
        [KIND_OUTPUT] = "stderr, journal or an absolute path",
        [KIND_DRAIN] = "auto or signal",
        [KIND_READY] = "auto, native, notify, http:/PATH[=STATUS], exec:COMMAND or alive:DURATION",
        [KIND_VERIFY] = "none, http:/PATH[=STATUS] or exec:COMMAND",
    };

    if (key->kind == KIND_DURATION)
        print_duration_range(key, to);
    else if (key->kind == KIND_OCTAL)
        fprintf(to, "an octal number from 0 to %04" PRIo64, key->max);
    else if (key->kind == KIND_NUMBER || key->kind == KIND_LARGE)
        fprintf(to, "a number from %" PRIu64 " to %" PRIu64, key->min, key->max);
    else
        fputs(fixed[key->kind], to);
}
