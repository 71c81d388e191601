#include "tests/bench/load_targets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct load_target *last(struct load_targets *targets)
{
    return targets->count ? &targets->list[targets->count - 1] : &targets->defaults;
}

static const char *add(struct load_targets *targets, const char *path, const char *body)
{
    if (targets->count == LOAD_TARGETS_MAX)
        return "at most 64 targets";
    struct load_target *target = &targets->list[targets->count++];
    *target = targets->defaults;
    target->server = targets->server;
    target->path = path;
    target->body = body;
    return NULL;
}

const char *load_targets_url(struct load_targets *targets, const char *url)
{
    const char *path;
    const char *wrong = load_url_parse(url, &targets->server, &path);

    return wrong || !path ? wrong : add(targets, path, NULL);
}

const char *load_targets_post(struct load_targets *targets, const char *where, const char *body)
{
    const char *path = where;
    const char *wrong = where[0] == '/' ? NULL : load_url_parse(where, &targets->server, &path);

    if (wrong)
        return wrong;
    if (!path)
        return "the path is missing";
    if (targets->server.length == 0)
        return "a URL that names the server must stand before a path";
    return add(targets, path, body);
}

const char *load_targets_expect(struct load_targets *targets, const char *list)
{
    struct load_target *target = last(targets);

    target->expect_count = 0;
    while (target->expect_count < LOAD_EXPECT_MAX) {
        if (strspn(list, "0123456789") != 3 || *list < '2' || *list > '5')
            break;
        target->expect[target->expect_count++] = (int)strtol(list, NULL, 10);
        if (list[3] == '\0')
            return NULL;
        if (list[3] != ',')
            break;
        list += 4;
    }
    return "one to eight final statuses, separated by commas: 200,404";
}

const char *load_targets_body(struct load_targets *targets, const char *check)
{
    struct load_target *target = last(targets);

    target->wanted_file = NULL;
    if (!strcmp(check, "any")) {
        target->check = LOAD_BODY_ANY;
    } else if (!strcmp(check, "same")) {
        target->check = LOAD_BODY_SAME;
    } else {
        target->check = LOAD_BODY_FILE;
        target->wanted_file = check;
    }
    return NULL;
}

const char *load_targets_verify(struct load_targets *targets, const char *path)
{
    struct load_target *post = last(targets);

    if (!post->body || post->read_back)
        return "this stands once after a --post";
    if (path[0] != '/')
        return "a path, as /articles/{n}";
    post->read_back = load_grow(NULL, 1, sizeof *post->read_back);
    *post->read_back = (struct load_target){ .server = post->server, .path = path };
    return NULL;
}

const char *load_targets_contains(struct load_targets *targets, const char *text)
{
    struct load_target *read_back = last(targets)->read_back;

    if (!read_back || read_back->contains_count == LOAD_CONTAINS_MAX)
        return "this stands up to eight times after a --verify-acknowledged";
    read_back->contains[read_back->contains_count++] = text;
    return NULL;
}

static const char *read_file(const char *path, struct load_buffer *out)
{
    static char wrong[160];
    char bytes[16384];
    size_t length;
    FILE *file = fopen(path, "re");

    if (!file) {
        snprintf(wrong, sizeof wrong, "--body %s: %s", path, strerror(errno));
        return wrong;
    }
    while ((length = fread(bytes, 1, sizeof bytes, file)) > 0)
        load_buffer_append(out, bytes, length);
    if (ferror(file))
        snprintf(wrong, sizeof wrong, "--body %s cannot be read", path);
    bool failed = ferror(file);
    fclose(file);
    return failed ? wrong : NULL;
}

static void complete_expect(struct load_target *target)
{
    if (target->expect_count == 0) {
        target->expect[target->expect_count++] = 200;
        if (target->body)
            target->expect[target->expect_count++] = 201;
    }
}

const char *load_targets_complete(struct load_targets *targets)
{
    const char *wrong = targets->count ? NULL : "at least one URL with a path, or a --post, is needed";

    for (unsigned i = 0; i < targets->count && !wrong; i++) {
        struct load_target *target = &targets->list[i];

        complete_expect(target);
        if (target->read_back)
            complete_expect(target->read_back);
        if (target->wanted_file)
            wrong = read_file(target->wanted_file, &target->wanted);
    }
    return wrong;
}

void load_targets_free(struct load_targets *targets)
{
    for (unsigned i = 0; i < targets->count; i++)
        load_target_free(&targets->list[i]);
}
