#include "worker/blog/cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "worker/blog/html.h"
#include "worker/blog/json.h"

/* An id belongs to one set; what is used least in a full set makes room. So no choice of ids makes a lookup
 * longer than WAYS comparisons. */
enum { SETS = 1024, WAYS = 4, ENTRY_SHARE = 16 /* one article may take this part of the bytes */ };

struct blog_cache {
    struct blog_cached *entries[SETS][WAYS];
    size_t bytes;
    size_t bytes_max;
    uint64_t clock;
    uint64_t seed;
    size_t hand; /* where the next entry is dropped for want of bytes */
};

struct blog_cache *blog_cache_create(size_t bytes_max)
{
    struct blog_cache *cache = calloc(1, sizeof *cache);

    if (!cache)
        return NULL;
    cache->bytes_max = bytes_max;
    if (getrandom(&cache->seed, sizeof cache->seed, GRND_NONBLOCK) < 0)
        cache->seed = (uintptr_t)cache;
    return cache;
}

static size_t size_of(const struct blog_cached *entry)
{
    return sizeof *entry + entry->json.capacity + entry->html.capacity;
}

static void entry_free(struct blog_cached *entry)
{
    http_buffer_reset(&entry->json, 0);
    http_buffer_reset(&entry->html, 0);
    free(entry);
}

static void drop(struct blog_cache *cache, struct blog_cached **slot)
{
    if (!*slot)
        return;
    cache->bytes -= size_of(*slot);
    entry_free(*slot);
    *slot = NULL;
}

void blog_cache_free(struct blog_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < SETS * WAYS; i++)
        drop(cache, &cache->entries[i / WAYS][i % WAYS]);
    free(cache);
}

static struct blog_cached **set_of(struct blog_cache *cache, const char *id)
{
    uint64_t hash = 0xcbf29ce484222325 ^ cache->seed; /* FNV-1a */

    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * 0x100000001b3;
    return cache->entries[(hash >> 32) % SETS];
}

const struct blog_cached *blog_cache_get(struct blog_cache *cache, const char *id)
{
    struct blog_cached **set = set_of(cache, id);

    for (size_t way = 0; way < WAYS; way++) {
        if (set[way] && !strcmp(set[way]->id, id)) {
            set[way]->used = ++cache->clock;
            return set[way];
        }
    }
    return NULL;
}

static struct blog_cached *render(const struct blog_article *article)
{
    struct blog_cached *entry = calloc(1, sizeof *entry);

    if (!entry)
        return NULL;
    memcpy(entry->id, article->id, strnlen(article->id, BLOG_ID_MAX));
    entry->created_ms = article->created_ms;
    blog_json_article(&entry->json, article);
    blog_html_article_begin(&entry->html, article);
    if (!entry->json.failed && !entry->html.failed)
        return entry;
    entry_free(entry);
    return NULL;
}

/* The slot of an entry of the same id, else a free one, else the one that was used least lately. */
static struct blog_cached **choose_slot(struct blog_cache *cache, const char *id)
{
    struct blog_cached **set = set_of(cache, id), **chosen = set;

    for (size_t way = 0; way < WAYS; way++) {
        if (set[way] && !strcmp(set[way]->id, id))
            return &set[way];
        if (*chosen && (!set[way] || set[way]->used < (*chosen)->used))
            chosen = &set[way];
    }
    return chosen;
}

const struct blog_cached *blog_cache_put(struct blog_cache *cache, const struct blog_article *article)
{
    struct blog_cached *entry = render(article);

    if (!entry || size_of(entry) > cache->bytes_max / ENTRY_SHARE) {
        if (entry)
            entry_free(entry);
        return NULL;
    }
    struct blog_cached **slot = choose_slot(cache, article->id);
    drop(cache, slot);
    for (; cache->bytes + size_of(entry) > cache->bytes_max; cache->hand = (cache->hand + 1) % (SETS * WAYS))
        drop(cache, &cache->entries[cache->hand / WAYS][cache->hand % WAYS]);
    entry->used = ++cache->clock;
    cache->bytes += size_of(entry);
    *slot = entry;
    return entry;
}

bool blog_cache_same(const struct blog_cached *cached, const struct blog_article *article)
{
    struct blog_article dated = *article;
    struct http_buffer json = { 0 };

    dated.created_ms = cached->created_ms;
    blog_json_article(&json, &dated);
    bool same = !json.failed && json.length == cached->json.length &&
                !memcmp(json.data, cached->json.data, json.length);
    http_buffer_reset(&json, 0);
    return same;
}
