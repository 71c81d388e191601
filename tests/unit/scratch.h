/* A directory for one test, gone afterwards. */
#ifndef BATON_TESTS_SCRATCH_H
#define BATON_TESTS_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

static char scratch[64];

static inline void scratch_create(void)
{
    snprintf(scratch, sizeof scratch, "/tmp/baton-test-XXXXXX");
    if (!mkdtemp(scratch))
        abort();
}

static inline int scratch_remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

static inline void scratch_remove(void)
{
    nftw(scratch, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
