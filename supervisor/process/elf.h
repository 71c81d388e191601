/* What the header of an ELF file tells before it is executed. */
#ifndef BATON_ELF_H
#define BATON_ELF_H

#include <stdbool.h>
#include <stdint.h>

struct elf {
    uint16_t machine;  /* EM_… */
    char *interpreter; /* the dynamic loader; NULL: static */
    char *build_id;    /* lower-case hex; NULL: none */
};

enum { ELF_OTHER = 1 };

/* Read the headers of `fd` (its offset does not matter). 0 with `out` filled, to be ended by elf_clear();
 * ELF_OTHER: not an ELF file; -ENOEXEC: one that is cut off or damaged; or what reading gave. Of a file in
 * the other byte order only the machine is known. */
int elf_read(int fd, struct elf *out);
void elf_clear(struct elf *elf);

/* Whether this machine runs programs for `machine` without help (x86-64 also i386, AArch64 also ARM). */
bool elf_runs_here(uint16_t machine);
/* "x86-64", "AArch64", "machine 243". */
const char *elf_machine_name(uint16_t machine, char text[24]);

#endif
