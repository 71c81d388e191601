#include "supervisor/process/elf.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SEGMENTS_MAX = 128,
    INTERPRETER_BYTES_MAX = 4096,
    NOTES_BYTES_MAX = 64 * 1024,
    BUILD_ID_BYTES_MAX = 64
};

/* A program header of either class. */
struct segment {
    uint32_t type;
    uint64_t offset, bytes;
};

static const unsigned char native_order =
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

/* All of `bytes` at `offset`, or -ENOEXEC. */
static int read_exactly(int fd, void *out, size_t bytes, uint64_t offset)
{
    if (offset > INT64_MAX - bytes)
        return -ENOEXEC;
    ssize_t got = pread(fd, out, bytes, (off_t)offset);
    if (got < 0)
        return -errno;
    return (size_t)got == bytes ? 0 : -ENOEXEC;
}

/* The part of the file that `segment` names, NUL-terminated and malloc'd; NULL with *error. */
static char *read_segment(int fd, const struct segment *segment, size_t bytes_max, int *error)
{
    if (segment->bytes > bytes_max) {
        *error = -ENOEXEC;
        return NULL;
    }
    char *content = calloc(1, segment->bytes + 1);
    *error = content ? read_exactly(fd, content, segment->bytes, segment->offset) : -ENOMEM;
    if (*error == 0)
        return content;
    free(content);
    return NULL;
}

static char *hex_of(const unsigned char *bytes, size_t count)
{
    char *text = malloc(2 * count + 1);

    for (size_t i = 0; text && i < count; i++)
        sprintf(text + 2 * i, "%02x", bytes[i]);
    return text;
}

/* Walk the notes of one segment; a damaged one ends the walk. */
static char *find_build_id(const char *notes, size_t bytes)
{
    ElfW(Nhdr) note;

    for (size_t at = 0; bytes - at >= sizeof note;) {
        memcpy(&note, notes + at, sizeof note);
        size_t name = at + sizeof note;
        size_t description = name + (((size_t)note.n_namesz + 3) & ~(size_t)3);
        size_t next = description + (((size_t)note.n_descsz + 3) & ~(size_t)3);
        if (next > bytes)
            break;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && !memcmp(notes + name, "GNU", 4) &&
            note.n_descsz > 0 && note.n_descsz <= BUILD_ID_BYTES_MAX)
            return hex_of((const unsigned char *)notes + description, note.n_descsz);
        at = next;
    }
    return NULL;
}

static int read_content(int fd, const struct segment *segment, struct elf *out)
{
    int error = 0;

    if (segment->type == PT_INTERP && !out->interpreter) {
        out->interpreter = read_segment(fd, segment, INTERPRETER_BYTES_MAX, &error);
    } else if (segment->type == PT_NOTE && !out->build_id && segment->bytes <= NOTES_BYTES_MAX) {
        char *notes = read_segment(fd, segment, NOTES_BYTES_MAX, &error);
        if (notes)
            out->build_id = find_build_id(notes, segment->bytes);
        free(notes);
    }
    return error;
}

/* The two classes differ in nothing but the widths and order of the fields. */
static int read_header(int fd, bool wide, uint64_t *table, size_t *entry_bytes, size_t *count,
                       uint16_t *machine)
{
    Elf64_Ehdr header64;
    Elf32_Ehdr header32;
    int error = wide ? read_exactly(fd, &header64, sizeof header64, 0)
                     : read_exactly(fd, &header32, sizeof header32, 0);

    if (error)
        return error;
    *table = wide ? header64.e_phoff : header32.e_phoff;
    *entry_bytes = wide ? header64.e_phentsize : header32.e_phentsize;
    *count = wide ? header64.e_phnum : header32.e_phnum;
    *machine = wide ? header64.e_machine : header32.e_machine;
    if (*entry_bytes != (wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) || *count == 0 ||
        *count > SEGMENTS_MAX)
        return -ENOEXEC;
    return 0;
}

static int read_segment_header(int fd, bool wide, uint64_t offset, struct segment *out)
{
    Elf64_Phdr header64;
    Elf32_Phdr header32;
    int error = wide ? read_exactly(fd, &header64, sizeof header64, offset)
                     : read_exactly(fd, &header32, sizeof header32, offset);

    if (error)
        return error;
    if (wide)
        *out = (struct segment){ header64.p_type, header64.p_offset, header64.p_filesz };
    else
        *out = (struct segment){ header32.p_type, header32.p_offset, header32.p_filesz };
    return 0;
}

static int read_segments(int fd, bool wide, struct elf *out)
{
    size_t entry_bytes, count;
    uint64_t table;
    int error = read_header(fd, wide, &table, &entry_bytes, &count, &out->machine);

    for (size_t i = 0; error == 0 && i < count; i++) {
        struct segment segment;
        error = read_segment_header(fd, wide, table + i * entry_bytes, &segment);
        if (error == 0)
            error = read_content(fd, &segment, out);
    }
    return error;
}

int elf_read(int fd, struct elf *out)
{
    unsigned char start[20]; /* e_ident, e_type, e_machine: the same in both classes */
    struct elf elf = { 0 };
    ssize_t got = pread(fd, start, sizeof start, 0);

    if (got < 0)
        return -errno;
    if (got < SELFMAG || memcmp(start, ELFMAG, SELFMAG))
        return ELF_OTHER;
    if ((size_t)got < sizeof start || (start[EI_CLASS] != ELFCLASS64 && start[EI_CLASS] != ELFCLASS32))
        return -ENOEXEC;
    if (start[EI_DATA] != native_order) {
        elf.machine = (uint16_t)(start[EI_DATA] == ELFDATA2LSB ? start[18] | start[19] << 8
                                                               : start[18] << 8 | start[19]);
        *out = elf;
        return 0;
    }
    int error = read_segments(fd, start[EI_CLASS] == ELFCLASS64, &elf);
    if (error) {
        elf_clear(&elf);
        return error;
    }
    *out = elf;
    return 0;
}

void elf_clear(struct elf *elf)
{
    free(elf->interpreter);
    free(elf->build_id);
    elf->interpreter = elf->build_id = NULL;
}

#if defined(__x86_64__)
static const uint16_t own_machines[] = { EM_X86_64, EM_386 };
#elif defined(__aarch64__)
static const uint16_t own_machines[] = { EM_AARCH64, EM_ARM };
#elif defined(__riscv)
static const uint16_t own_machines[] = { EM_RISCV };
#elif defined(__powerpc64__)
static const uint16_t own_machines[] = { EM_PPC64 };
#elif defined(__s390x__)
static const uint16_t own_machines[] = { EM_S390 };
#elif defined(__i386__)
static const uint16_t own_machines[] = { EM_386, EM_X86_64 }; /* the kernel below may be a 64-bit one */
#elif defined(__arm__)
static const uint16_t own_machines[] = { EM_ARM, EM_AARCH64 };
#else
static const uint16_t own_machines[] = { 0 }; /* not known here: exec decides */
#endif

bool elf_runs_here(uint16_t machine)
{
    for (size_t i = 0; i < sizeof own_machines / sizeof *own_machines; i++) {
        if (own_machines[i] == machine || own_machines[i] == 0)
            return true;
    }
    return false;
}

const char *elf_machine_name(uint16_t machine, char text[24])
{
    static const struct {
        uint16_t machine;
        const char *name;
    } names[] = {
        { EM_X86_64, "x86-64" }, { EM_386, "i386" },    { EM_AARCH64, "AArch64" }, { EM_ARM, "ARM" },
        { EM_RISCV, "RISC-V" },  { EM_PPC64, "PPC64" }, { EM_S390, "s390" },       { EM_MIPS, "MIPS" },
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].machine == machine)
            return names[i].name;
    }
    snprintf(text, 24, "machine %u", machine);
    return text;
}
