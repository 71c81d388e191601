#include "supervisor/process/release_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "supervisor/core/sentence.h"
#include "supervisor/process/spawn.h"

static int64_t mtime_of(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

void release_file_set(struct release_file *file, const struct stat *st, char *path, int argument)
{
    *file = (struct release_file){
        .path = path,
        .device = st->st_dev,
        .inode = st->st_ino,
        .size = (uint64_t)st->st_size,
        .mtime_ns = mtime_of(st),
        .argument = argument,
    };
}

bool release_file_is(const struct release_file *file, const struct stat *st)
{
    return file->device == st->st_dev && file->inode == st->st_ino && file->size == (uint64_t)st->st_size &&
           file->mtime_ns == mtime_of(st);
}

bool release_file_equal(const struct release_file *a, const struct release_file *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->mtime_ns == b->mtime_ns && a->argument == b->argument && !strcmp(a->path, b->path);
}

int release_file_verify(const struct release_file *file, char **reason)
{
    struct stat st;

    if (stat(file->path, &st))
        return errno == ENOENT ? sentence(reason, -ESTALE, "%s is gone", file->path)
                               : sentence(reason, -ESTALE, "%s: %s", file->path, strerror(errno));
    if (release_file_is(file, &st))
        return 0;
    const char *how = st.st_ino == file->inode && st.st_dev == file->device ? "modified" : "replaced";
    if ((uint64_t)st.st_size != file->size)
        return sentence(reason, -ESTALE, "%s was %s since (size %llu -> %llu)", file->path, how,
                        (unsigned long long)file->size, (unsigned long long)st.st_size);
    return sentence(reason, -ESTALE, "%s was %s since (same size)", file->path, how);
}

static bool has_code_suffix(const char *path)
{
    static const char *const suffixes[] = {
        "beam", "cfg",  "cjs", "clj", "conf", "config", "dll", "erl",  "ex",  "exs",  "groovy",
        "hcl",  "ini",  "jar", "jl",  "js",   "kts",    "lua", "mjs",  "php", "phar", "properties",
        "pl",   "psgi", "py",  "pyc", "pyz",  "r",      "rb",  "ru",   "scm", "sh",   "so",
        "tcl",  "toml", "ts",  "vcl", "war",  "wasm",   "xml", "yaml", "yml",
    };
    const char *dot = strrchr(path, '.');

    if (!dot || strchr(dot, '/'))
        return false;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        if (!strcasecmp(dot + 1, suffixes[i]))
            return true;
    }
    return false;
}

static bool begins_like_code(int fd)
{
    char self[32], start[4] = "";
    bool code = false;

    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    int readable = open(self, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (readable < 0)
        return false;
    if (pread(readable, start, sizeof start, 0) == sizeof start)
        code = !memcmp(start, "#!", 2) ||
               !memcmp(start,
                       "\x7f"
                       "ELF",
                       4) ||
               !memcmp(start, "PK\x03\x04", 4);
    close(readable);
    return code;
}

static bool in_group(const struct spawn_user *user, gid_t gid)
{
    if (user->gid == gid)
        return true;
    for (size_t i = 0; i < user->group_count; i++) {
        if (user->groups[i] == gid)
            return true;
    }
    return false;
}

/* Asked of another user the mode answers, asked of ourselves the kernel. */
static bool may_write(const struct spawn_user *user, int fd, const struct stat *st)
{
    char self[32];

    if (!user->change) {
        snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
        return faccessat(AT_FDCWD, self, W_OK, AT_EACCESS) == 0;
    }
    if (st->st_uid == user->uid)
        return st->st_mode & S_IWUSR;
    return st->st_mode & (in_group(user, st->st_gid) ? S_IWGRP : S_IWOTH);
}

bool release_file_belongs(int fd, const struct stat *st, const char *path, const struct spawn_user *user)
{
    if (!S_ISREG(st->st_mode))
        return false;
    return (st->st_mode & 0111) || has_code_suffix(path) || begins_like_code(fd) || !may_write(user, fd, st);
}
