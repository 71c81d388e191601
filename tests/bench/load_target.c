#include "tests/bench/load_target.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void load_template_append(struct load_buffer *out, const char *text, uint64_t n, const char *run)
{
    const char *brace;
    char number[24];

    while ((brace = strchr(text, '{'))) {
        load_buffer_append(out, text, (size_t)(brace - text));
        if (!strncmp(brace, "{n}", 3)) {
            load_buffer_append(out, number, (size_t)snprintf(number, sizeof number, "%" PRIu64, n));
            text = brace + 3;
        } else if (!strncmp(brace, "{run}", 5)) {
            load_buffer_text(out, run);
            text = brace + 5;
        } else {
            load_buffer_append(out, brace, 1);
            text = brace + 1;
        }
    }
    load_buffer_text(out, text);
}

bool load_target_needs_body(const struct load_target *target)
{
    return target->check != LOAD_BODY_ANY || target->contains_count > 0;
}

static enum load_outcome check_status(const struct load_target *target, int status, char *detail)
{
    for (unsigned i = 0; i < target->expect_count; i++) {
        if (status == target->expect[i])
            return LOAD_SUCCESS;
    }
    snprintf(detail, LOAD_DETAIL_BYTES, "status %d", status);
    return status >= 500 ? LOAD_SERVER_ERROR : LOAD_UNEXPECTED_STATUS;
}

static enum load_outcome compare(const struct load_buffer *wanted, const struct load_buffer *body,
                                 char *detail)
{
    size_t at = 0, shorter = wanted->length < body->length ? wanted->length : body->length;

    if (wanted->length == body->length && (shorter == 0 || !memcmp(wanted->data, body->data, shorter)))
        return LOAD_SUCCESS;
    while (at < shorter && wanted->data[at] == body->data[at])
        at++;
    snprintf(detail, LOAD_DETAIL_BYTES, "%zu bytes in place of %zu, the first difference is at byte %zu",
             body->length, wanted->length, at);
    return LOAD_WRONG_BODY;
}

static void add_reference(struct load_target *target, const struct load_response *response,
                          const char *version)
{
    struct load_reference *reference;

    target->references = load_grow(target->references, target->reference_count + 1, sizeof *reference);
    reference = &target->references[target->reference_count++];
    *reference = (struct load_reference){ .status = response->status };
    reference->version = load_grow(NULL, strlen(version) + 1, 1);
    strcpy(reference->version, version);
    load_buffer_append(&reference->body, response->body.data, response->body.length);
}

static enum load_outcome check_same(struct load_target *target, const struct load_response *response,
                                    const char *version, char *detail)
{
    for (size_t i = 0; i < target->reference_count; i++) {
        const struct load_reference *reference = &target->references[i];
        if (reference->status == response->status && !strcmp(reference->version, version))
            return compare(&reference->body, &response->body, detail);
    }
    add_reference(target, response, version);
    return LOAD_SUCCESS;
}

static enum load_outcome check_contains(const struct load_target *target, const struct load_buffer *body,
                                        uint64_t n, const char *run, char *detail)
{
    enum load_outcome outcome = LOAD_SUCCESS;

    for (unsigned i = 0; i < target->contains_count && outcome == LOAD_SUCCESS; i++) {
        struct load_buffer text = { 0 };

        load_template_append(&text, target->contains[i], n, run);
        if (text.length && (!body->length || !memmem(body->data, body->length, text.data, text.length))) {
            snprintf(detail, LOAD_DETAIL_BYTES, "this is missing: %.*s", (int)text.length, text.data);
            outcome = LOAD_WRONG_BODY;
        }
        load_buffer_free(&text);
    }
    return outcome;
}

enum load_outcome load_target_check(struct load_target *target, const struct load_response *response,
                                    const char *version, uint64_t n, const char *run,
                                    char detail[LOAD_DETAIL_BYTES])
{
    enum load_outcome outcome = check_status(target, response->status, detail);

    if (outcome == LOAD_SUCCESS && target->check == LOAD_BODY_FILE)
        outcome = compare(&target->wanted, &response->body, detail);
    if (outcome == LOAD_SUCCESS && target->check == LOAD_BODY_SAME)
        outcome = check_same(target, response, version, detail);
    if (outcome == LOAD_SUCCESS)
        outcome = check_contains(target, &response->body, n, run, detail);
    return outcome;
}

void load_target_acknowledge(struct load_target *target, uint64_t n)
{
    size_t count = target->acknowledged_count;

    if ((count & (count - 1)) == 0) /* full at every power of two */
        target->acknowledged = load_grow(target->acknowledged, count ? 2 * count : 1, sizeof n);
    target->acknowledged[target->acknowledged_count++] = n;
}

void load_target_free(struct load_target *target)
{
    for (size_t i = 0; i < target->reference_count; i++) {
        free(target->references[i].version);
        load_buffer_free(&target->references[i].body);
    }
    free(target->references);
    free(target->acknowledged);
    load_buffer_free(&target->wanted);
    if (target->read_back)
        load_target_free(target->read_back);
    free(target->read_back);
}
