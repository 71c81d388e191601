#include "supervisor/keeper/session.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "proto/channel.h"

/* TTIN and TTOU count workers; of the others one is in the supervisor's hands and one remembered. */
static uint8_t most(int signo)
{
    return signo == SIGTTIN || signo == SIGTTOU ? UINT8_MAX : 2;
}

void session_begin(struct session *session, struct vault_table *table, int channel)
{
    session->channel = channel;
    session->stage = SESSION_START;
    session->sent = 0;
    session->refused.id[0] = '\0';
    memset(session->told, 0, sizeof session->told);
    for (size_t i = 0; i < table->count; i++) { /* the entries say it all */
        table->records[i].to_tell = 0;
        table->records[i].exit_due = false;
    }
}

void session_end(struct session *session)
{
    if (session->channel >= 0)
        close(session->channel);
    session->channel = -1;
}

static int tell(const struct session *session, const struct wire_message *message, const int *fds)
{
    uint8_t bytes[WIRE_MESSAGE_BYTES];
    size_t size = wire_encode(message, bytes);

    assert(size > 0);
    return channel_send(session->channel, bytes, size, fds, wire_descriptors(message));
}

static int tell_about(const struct session *session, enum wire_type type, const struct wire_entry *entry)
{
    struct wire_message message = { .type = type };

    message.entry = *entry;
    return tell(session, &message, NULL);
}

/* The next entries, as many as fit into a message; none are left: END. */
static int tell_entries(struct session *session, struct vault_table *table)
{
    static struct wire_message message;
    int fds[WIRE_ENTRIES_MAX] = { -1 }, outcome;
    size_t i, count = 0;

    for (i = 0; i < table->count && count < WIRE_ENTRIES_MAX; i++) {
        const struct vault_record *record = &table->records[i];

        if (record->fd < 0 || record->serial <= session->sent || vault_is_own(record->entry.id))
            continue;
        fds[count] = record->fd;
        message.entries.list[count++] = record->entry;
    }
    message.type = count > 0 ? WIRE_ENTRIES : WIRE_END;
    message.entries.count = count;
    outcome = tell(session, &message, fds);
    if (outcome)
        return outcome;
    for (size_t j = 0; j < i; j++) /* the exits of those in this message are told */
        if (table->records[j].serial > session->sent)
            table->records[j].exit_due = false;
    if (count == 0)
        session->stage = SESSION_LIVE;
    else
        session->sent = table->records[i - 1].serial;
    return 0;
}

/* STORED waits until systemd has its copy too: what was said to be safe survives the keeper. */
static int tell_record(const struct session *session, struct vault_record *record)
{
    int outcome = 0;

    for (; record->to_tell > 0 && !record->sd_due && !outcome; record->to_tell -= !outcome)
        outcome = tell_about(session, WIRE_STORED, &record->entry);
    if (record->exit_due && record->to_tell == 0 && !outcome) {
        outcome = tell_about(session, WIRE_EXIT, &record->entry);
        record->exit_due = outcome != 0;
    }
    return outcome;
}

static int tell_signals(struct session *session)
{
    struct wire_message message = { .type = WIRE_SIGNAL };
    int outcome = 0;

    for (int signo = 1; signo < NSIG && !outcome; signo++)
        while (session->told[signo] < session->pending[signo] && !outcome) {
            message.number = signo;
            outcome = tell(session, &message, NULL);
            session->told[signo] += !outcome;
        }
    return outcome;
}

static int tell_start(struct session *session)
{
    struct wire_message message = { .type = WIRE_START, .start = session->start };
    int outcome = tell(session, &message, NULL);

    if (!outcome)
        session->stage = SESSION_ENTRIES;
    return outcome;
}

static int tell_news(struct session *session, struct vault_table *table)
{
    int outcome = 0;

    if (session->refused.id[0]) {
        outcome = tell_about(session, WIRE_REFUSED, &session->refused);
        if (!outcome)
            session->refused.id[0] = '\0';
    }
    for (size_t i = 0; i < table->count && !outcome; i++)
        outcome = tell_record(session, &table->records[i]);
    return outcome ? outcome : tell_signals(session);
}

int session_flush(struct session *session, struct vault_table *table)
{
    int outcome = 0;

    if (session->channel < 0)
        return 0;
    if (session->stage == SESSION_START)
        outcome = tell_start(session);
    while (session->stage == SESSION_ENTRIES && !outcome)
        outcome = tell_entries(session, table);
    if (session->stage == SESSION_LIVE && !outcome)
        outcome = tell_news(session, table);
    return outcome == CHANNEL_CLOSED ? 0 : outcome;
}

void session_signal(struct session *session, int signo)
{
    if (session->pending[signo] < most(signo))
        session->pending[signo]++;
}

void session_signal_done(struct session *session, int signo)
{
    if (signo <= 0 || signo >= NSIG || session->told[signo] == 0)
        return;
    session->told[signo]--;
    session->pending[signo]--;
}

bool session_wants_stop(const struct session *session)
{
    return session->pending[SIGTERM] || session->pending[SIGINT] || session->pending[SIGQUIT];
}
