#include "tests/bench/load_versions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void value_of(const char *header, const struct load_response *response, char value[LOAD_VERSION_BYTES])
{
    size_t length;
    const char *found = load_response_header(response, header, &length);

    if (!found)
        snprintf(value, LOAD_VERSION_BYTES, "%s", LOAD_VERSION_NONE);
    else
        snprintf(value, LOAD_VERSION_BYTES, "%.*s", (int)length, found);
}

void load_versions_key(const struct load_versions *versions, const struct load_response *response,
                       char value[LOAD_VERSION_BYTES])
{
    value[0] = '\0';
    if (versions->header_count)
        value_of(versions->headers[0], response, value);
}

static struct load_version *find(const struct load_versions *versions, unsigned header, const char *value)
{
    for (unsigned i = versions->count; i-- > 0;) { /* the newest ones answer most */
        struct load_version *version = &versions->entries[i];
        if (version->header == header && !strcmp(version->value, value))
            return version;
    }
    return NULL;
}

static struct load_version *find_or_add(struct load_versions *versions, unsigned header, const char *value)
{
    struct load_version *version = find(versions, header, value);

    if (!version && versions->count >= LOAD_VERSIONS_MAX) {
        value = LOAD_VERSION_OTHER;
        version = find(versions, header, value);
    }
    if (version)
        return version;
    versions->entries = load_grow(versions->entries, versions->count + 1, sizeof *versions->entries);
    version = &versions->entries[versions->count++];
    *version = (struct load_version){ .header = header };
    snprintf(version->value, sizeof version->value, "%s", value);
    return version;
}

void load_versions_record(struct load_versions *versions, const struct load_response *response, bool success,
                          uint64_t at_ns)
{
    char value[LOAD_VERSION_BYTES];

    for (unsigned header = 0; header < versions->header_count; header++) {
        value_of(versions->headers[header], response, value);
        struct load_version *version = find_or_add(versions, header, value);
        if (!success) {
            version->failures++;
            continue;
        }
        if (version->successes++ == 0)
            version->first_ns = at_ns;
        version->last_ns = at_ns;
    }
}

void load_versions_free(struct load_versions *versions)
{
    free(versions->entries);
}
