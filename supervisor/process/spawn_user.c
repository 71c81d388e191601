#include "supervisor/process/spawn.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A whole decimal number below the one that means "unchanged" to setresuid(2). */
static bool parse_id(const char *text, unsigned *id)
{
    char *end;
    unsigned long value;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno || *end || value >= UINT_MAX)
        return false;
    *id = (unsigned)value;
    return true;
}

/* A name may consist of digits only, so names are tried first, as chown(1) does. */
static int find_user(const char *text, struct spawn_user *user, bool *has_account)
{
    const struct passwd *account = getpwnam(text);

    if (!account && !parse_id(text, &user->uid))
        return -ENOENT;
    if (!account)
        account = getpwuid(user->uid);
    *has_account = account != NULL;
    if (!account)
        return 0;
    user->uid = account->pw_uid;
    user->gid = account->pw_gid;
    user->name = strdup(account->pw_name);
    user->home = strdup(account->pw_dir);
    return user->name && user->home ? 0 : -ENOMEM;
}

static int find_group(const char *text, gid_t *gid)
{
    const struct group *group = getgrnam(text);

    if (group)
        *gid = group->gr_gid;
    return group || parse_id(text, gid) ? 0 : -ENOENT;
}

/* The account's groups; without an account the one group it runs under. */
static int find_supplementary(struct spawn_user *user)
{
    int count = 1, room;

    do {
        room = count;
        free(user->groups);
        user->groups = calloc((size_t)room, sizeof *user->groups);
        if (!user->groups)
            return -ENOMEM;
        user->groups[0] = user->gid;
    } while (user->name && getgrouplist(user->name, user->gid, user->groups, &count) < 0 && count > room);
    user->group_count = (size_t)(count < room ? count : room);
    return 0;
}

static int resolve(const char *user, const char *group, struct spawn_user *out, const char **what)
{
    bool has_account = true;
    int error;

    out->uid = geteuid();
    out->gid = getegid();
    *what = "user";
    error = user ? find_user(user, out, &has_account) : 0;
    if (error)
        return error;
    *what = has_account ? "group" : "group of a user without an account";
    error = group ? find_group(group, &out->gid) : has_account ? 0 : -ENOENT;
    if (error)
        return error;
    out->change = user || group;
    if (geteuid() == 0)
        return out->change ? find_supplementary(out) : 0;
    if (out->uid != geteuid() || out->gid != getegid())
        return -EPERM;
    out->change = false; /* that is who we are */
    return 0;
}

int spawn_user_resolve(const char *user, const char *group, struct spawn_user *out, const char **what)
{
    struct spawn_user found = { 0 };
    int error = resolve(user, group, &found, what);

    if (error) {
        spawn_user_free(&found);
        return error;
    }
    *out = found;
    return 0;
}

void spawn_user_free(struct spawn_user *user)
{
    free(user->groups);
    free(user->name);
    free(user->home);
    *user = (struct spawn_user){ 0 };
}
