/* The main() of a fuzz target that is not linked with libFuzzer: a check program that replays the
 * target's corpus, tests/fuzz/corpus/NAME for fuzz_NAME, or the files that are given. Each input is
 * also tried cut off at every length and with every bit flipped, one at a time: cheap, and it finds
 * what a parser forgot to check. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

enum { LIMIT_S = 300, MUTATED_BYTES = 4096 };

/* In memory of exactly that size, so that AddressSanitizer sees a read behind its end. */
static void try_input(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy)
        abort();
    memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void try_variants(uint8_t *bytes, size_t size)
{
    try_input(bytes, size);
    if (size > MUTATED_BYTES)
        return;
    for (size_t cut = 0; cut < size; cut++)
        try_input(bytes, cut);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        try_input(bytes, size);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* Returns whether the file could be read. */
static int replay_file(const char *path)
{
    static uint8_t bytes[1 << 20];
    FILE *file = fopen(path, "rb");

    if (!file) {
        perror(path);
        return 0;
    }
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    try_variants(bytes, size);
    return 1;
}

/* Returns how many inputs there were. */
static int replay_directory(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    char file[4096];
    int count = 0;

    if (!directory) {
        perror(path);
        return 0;
    }
    while ((entry = readdir(directory))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        count += replay_file(file);
    }
    closedir(directory);
    return count;
}

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '/'), *source = getenv("top_srcdir");
    char corpus[2048];
    int count = 0;

    alarm(LIMIT_S);
    for (int i = 1; i < argc; i++)
        count += replay_file(argv[i]);
    if (argc == 1) {
        name = name ? name + 1 : argv[0];
        name = strncmp(name, "fuzz_", 5) ? name : name + 5;
        snprintf(corpus, sizeof corpus, "%s/tests/fuzz/corpus/%s", source ? source : ".", name);
        count = replay_directory(corpus);
    }
    printf("%d inputs, their prefixes and single-bit errors\n", count);
    return count == 0;
}
