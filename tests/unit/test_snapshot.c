#include "supervisor/process/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

static void assert_state(const struct snapshot *snapshot, const char *text)
{
    const void *bytes = NULL;
    size_t length = 0;

    assert_int_equal(snapshot_read(snapshot, &bytes, &length), 0);
    assert_int_equal(length, strlen(text));
    assert_memory_equal(bytes, text, length);
}

static void write_state(struct snapshot *snapshot, const char *text)
{
    assert_int_equal(snapshot_write(snapshot, text, strlen(text)), 0);
}

/* Attach a second time to the same memory, as the next supervisor does. */
static struct snapshot attach_copy(const struct snapshot *snapshot)
{
    struct snapshot copy;

    assert_int_equal(snapshot_attach(&copy, fcntl(snapshot->fd, F_DUPFD_CLOEXEC, 0)), 0);
    return copy;
}

static void a_new_one_is_empty_also_for_the_next_supervisor(void **state)
{
    struct snapshot snapshot, copy;
    const void *bytes;
    size_t length;

    (void)state;
    assert_int_equal(snapshot_create(&snapshot), 0);
    assert_int_equal(snapshot_read(&snapshot, &bytes, &length), SNAPSHOT_EMPTY);
    copy = attach_copy(&snapshot);
    assert_int_equal(snapshot_read(&copy, &bytes, &length), SNAPSHOT_EMPTY);
    snapshot_close(&copy);
    snapshot_close(&snapshot);
}

static void the_next_supervisor_reads_the_last_write_and_writes_on(void **state)
{
    struct snapshot snapshot, copy;

    (void)state;
    assert_int_equal(snapshot_create(&snapshot), 0);
    write_state(&snapshot, "one");
    write_state(&snapshot, "");
    assert_state(&snapshot, "");
    write_state(&snapshot, "three, longer than the others");
    assert_state(&snapshot, "three, longer than the others");
    copy = attach_copy(&snapshot);
    snapshot_close(&snapshot);
    assert_state(&copy, "three, longer than the others");
    write_state(&copy, "four");
    assert_state(&copy, "four");
    snapshot = attach_copy(&copy);
    assert_state(&snapshot, "four");
    snapshot_close(&snapshot);
    snapshot_close(&copy);
}

static void what_was_read_stays_through_one_write(void **state)
{
    struct snapshot snapshot;
    const void *bytes;
    size_t length;

    (void)state;
    assert_int_equal(snapshot_create(&snapshot), 0);
    write_state(&snapshot, "kept");
    assert_int_equal(snapshot_read(&snapshot, &bytes, &length), 0);
    write_state(&snapshot, "next");
    assert_memory_equal(bytes, "kept", 4);
    snapshot_close(&snapshot);
}

static void the_largest_state_fits_and_one_byte_more_changes_nothing(void **state)
{
    struct snapshot snapshot;
    const void *bytes;
    size_t length;
    char *large = malloc(SNAPSHOT_BYTES_MAX + 1);

    (void)state;
    assert_non_null(large);
    memset(large, 'x', SNAPSHOT_BYTES_MAX + 1);
    assert_int_equal(snapshot_create(&snapshot), 0);
    assert_int_equal(snapshot_write(&snapshot, large, SNAPSHOT_BYTES_MAX), 0);
    assert_int_equal(snapshot_write(&snapshot, large, SNAPSHOT_BYTES_MAX + 1), -EMSGSIZE);
    assert_int_equal(snapshot_read(&snapshot, &bytes, &length), 0);
    assert_int_equal(length, SNAPSHOT_BYTES_MAX);
    assert_memory_equal(bytes, large, length);
    snapshot_close(&snapshot);
    free(large);
}

/* Where `text` lies in the memory of the snapshot. */
static char *locate(struct snapshot *snapshot, const char *text)
{
    struct stat status;

    assert_int_equal(fstat(snapshot->fd, &status), 0);
    char *found = memmem(snapshot->memory, (size_t)status.st_size, text, strlen(text));
    assert_non_null(found);
    return found;
}

static void any_damaged_byte_of_the_newest_slot_gives_the_one_before(void **state)
{
    static const char newest[] = "the newest state, with a length that is no multiple of eight";
    struct snapshot snapshot, copy;

    (void)state;
    assert_int_equal(snapshot_create(&snapshot), 0);
    write_state(&snapshot, "the one before");
    write_state(&snapshot, newest);
    char *bytes = locate(&snapshot, newest);
    for (int i = -64; i < (int)sizeof newest - 1; i++) {
        if (i >= -40 &&
            i < 0) /* the unused part of the slot's header: sequence, length, checksum come first */
            continue;
        for (int bit = 0; bit < 8; bit++) {
            bytes[i] ^= (char)(1 << bit);
            copy = attach_copy(&snapshot);
            assert_state(&copy, "the one before");
            snapshot_close(&copy);
            bytes[i] ^= (char)(1 << bit);
        }
    }
    copy = attach_copy(&snapshot);
    assert_state(&copy, newest);
    snapshot_close(&copy);
    snapshot_close(&snapshot);
}

static void two_damaged_slots_are_an_error_not_an_empty_state(void **state)
{
    struct snapshot snapshot, copy;
    const void *bytes;
    size_t length;

    (void)state;
    assert_int_equal(snapshot_create(&snapshot), 0);
    write_state(&snapshot, "first");
    write_state(&snapshot, "second");
    *locate(&snapshot, "first") ^= 1;
    *locate(&snapshot, "second") ^= 1;
    copy = attach_copy(&snapshot);
    assert_int_equal(snapshot_read(&copy, &bytes, &length), -EBADMSG);
    write_state(&copy, "again");
    assert_state(&copy, "again");
    snapshot_close(&copy);
    snapshot_close(&snapshot);
}

static void nobody_can_resize_it(void **state)
{
    struct snapshot snapshot;

    (void)state;
    assert_int_equal(snapshot_create(&snapshot), 0);
    assert_int_equal(ftruncate(snapshot.fd, 0), -1);
    assert_int_equal(ftruncate(snapshot.fd, 64 << 20), -1);
    assert_int_equal(fcntl(snapshot.fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
    snapshot_close(&snapshot);
}

static int memory_like(const struct snapshot *snapshot, int seals)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct stat status;

    assert_true(fd >= 0);
    assert_int_equal(fstat(snapshot->fd, &status), 0);
    assert_int_equal(ftruncate(fd, status.st_size), 0);
    if (seals)
        assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static void what_is_not_a_state_is_refused_and_closed(void **state)
{
    struct snapshot snapshot, copy = { .fd = 4711 };

    (void)state;
    assert_int_equal(snapshot_create(&snapshot), 0);
    assert_int_equal(snapshot_attach(&copy, open("/dev/null", O_RDWR | O_CLOEXEC)), -EPROTO);
    assert_int_equal(snapshot_attach(&copy, memory_like(&snapshot, 0)), -EPROTO);
    assert_int_equal(
        snapshot_attach(&copy, memory_like(&snapshot, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)), -EPROTO);
    assert_int_equal(copy.fd, 4711);
    memset((char *)snapshot.memory + 8, 0xff, 4); /* the version */
    assert_int_equal(snapshot_attach(&copy, fcntl(snapshot.fd, F_DUPFD_CLOEXEC, 0)), -EPROTO);
    snapshot_close(&snapshot);
}

enum { KILLS = 500, WORDS = 4096 };

/* Writes states whose every word is the sequence they get; `written` counts what was acknowledged. */
static void write_for_ever(struct snapshot *snapshot, _Atomic uint64_t *written)
{
    static uint64_t words[WORDS];

    for (;;) {
        uint64_t sequence = snapshot->sequence + 1;

        for (size_t i = 0; i < WORDS; i++)
            words[i] = sequence;
        if (snapshot_write(snapshot, words, sizeof words - 8 * (sequence % 512)) != 0)
            _exit(1);
        atomic_store(written, sequence);
    }
}

static void kill_a_writer(struct snapshot *snapshot, _Atomic uint64_t *written)
{
    uint64_t before = atomic_load(written);
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        write_for_ever(snapshot, written);
    while (atomic_load(written) < before + 2) /* it is at work */
        ;
    for (volatile int spin = rand() % 20000; spin > 0; spin--)
        ;
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_writer_killed_at_any_instant_leaves_a_whole_state(void **state)
{
    _Atomic uint64_t *written =
        mmap(NULL, sizeof *written, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct snapshot snapshot, next;

    (void)state;
    assert_ptr_not_equal(written, MAP_FAILED);
    assert_int_equal(snapshot_create(&snapshot), 0);
    for (int i = 0; i < KILLS; i++) {
        const void *bytes;
        size_t length;

        kill_a_writer(&snapshot, written);
        next = attach_copy(&snapshot);
        assert_int_equal(snapshot_read(&next, &bytes, &length), 0);
        assert_true(next.sequence >= atomic_load(written));
        for (size_t word = 0; word < length / 8; word++)
            assert_int_equal(((const uint64_t *)bytes)[word], next.sequence);
        snapshot_close(&snapshot);
        snapshot = next;
        atomic_store(written, snapshot.sequence);
    }
    snapshot_close(&snapshot);
    munmap((void *)written, sizeof *written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(a_new_one_is_empty_also_for_the_next_supervisor),
        GUARDED(the_next_supervisor_reads_the_last_write_and_writes_on),
        GUARDED(what_was_read_stays_through_one_write),
        GUARDED(the_largest_state_fits_and_one_byte_more_changes_nothing),
        GUARDED(any_damaged_byte_of_the_newest_slot_gives_the_one_before),
        GUARDED(two_damaged_slots_are_an_error_not_an_empty_state),
        GUARDED(nobody_can_resize_it),
        GUARDED(what_is_not_a_state_is_refused_and_closed),
        GUARDED(a_writer_killed_at_any_instant_leaves_a_whole_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
