/* What the blog reads and writes: drafts, the review, JSON, HTML, and the cache that keeps both. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"
#include "worker/blog/cache.h"
#include "worker/blog/draft.h"
#include "worker/blog/html.h"
#include "worker/blog/json.h"
#include "worker/blog/review.h"

static char reason[BLOG_DRAFT_REASON_BYTES];

static const char *content(struct http_buffer *buffer)
{
    http_buffer_append(buffer, "", 1);
    return buffer->data;
}

static void an_article_is_read_with_and_without_what_may_be_missing(void **state)
{
    static const char full[] =
        "{\"id\":\"a-_.~9\",\"title\":\"t\\u00e4\",\"body\":\"b\",\"author\":\"c\",\"x\":[1]}";
    static const char least[] = "{\"title\":\"t\",\"body\":\"b\"}";
    struct blog_draft draft;

    (void)state;
    assert_int_equal(blog_draft_article(&draft, full, strlen(full), reason), 0);
    assert_string_equal(draft.id, "a-_.~9");
    assert_string_equal(draft.title, "tä");
    assert_string_equal(draft.author, "c");
    blog_draft_free(&draft);
    assert_int_equal(blog_draft_article(&draft, least, strlen(least), reason), 0);
    assert_string_equal(draft.id, "");
    assert_string_equal(draft.author, "anonymous");
    blog_draft_free(&draft);
}

static void assert_refused(const char *text, const char *expected)
{
    struct blog_draft draft;

    reason[0] = '\0';
    assert_int_equal(blog_draft_article(&draft, text, strlen(text), reason), -EINVAL);
    if (!strstr(reason, expected))
        fail_msg("\"%s\" instead of \"%s\" for %s", reason, expected, text);
}

static void what_is_no_article_is_refused_with_a_reason(void **state)
{
    char text[1024], name[400];

    (void)state;
    assert_refused("", "malformed JSON in line 1, column 0: the text ends too early");
    assert_refused("{\"title\":\n x}", "malformed JSON in line 2, column");
    assert_refused("{} {}", "something follows the object");
    assert_refused("{\"title\":\"\xff\"}", "this is not UTF-8");
    assert_refused("{\"title\":\"\xed\xa0\x80\"}", "this is not UTF-8");
    assert_refused("{\"title\":\"\\ud800\"}", "malformed JSON");
    assert_refused("{\"title\":\"\\u0000\"}", "a string contains \\u0000");
    assert_refused("{\"title\":\"a\",\"title\":\"b\"}", "a member appears twice");
    assert_refused("{\"title\":1e999}", "a number is too large");
    assert_refused("[1]", "the body must be a JSON object");
    assert_refused("{}", "\"title\" is missing");
    assert_refused("{\"title\":null,\"body\":\"b\"}", "\"title\" must be a string");
    assert_refused("{\"title\":[],\"body\":\"b\"}", "\"title\" must be a string");
    assert_refused("{\"title\":\"\",\"body\":\"b\"}", "\"title\" must have 1 to 300 characters");
    assert_refused("{\"title\":\"t\"}", "\"body\" is missing");
    assert_refused("{\"title\":\"t\",\"body\":7}", "\"body\" must be a string");
    assert_refused("{\"title\":\"t\",\"body\":\"\"}", "\"body\" must not be empty");
    assert_refused("{\"title\":\"t\",\"body\":\"b\",\"author\":{}}", "\"author\" must be a string");
    assert_refused("{\"title\":\"t\",\"body\":\"b\",\"author\":\"\"}",
                   "\"author\" must have 1 to 100 characters");
    assert_refused("{\"title\":\"t\",\"body\":\"b\",\"id\":3}", "\"id\" must be a string");
    assert_refused("{\"title\":\"t\",\"body\":\"b\",\"id\":\"\"}", "\"id\" must have 1 to 64");
    assert_refused("{\"title\":\"t\",\"body\":\"b\",\"id\":\"a/b\"}", "\"id\" must have 1 to 64");
    assert_refused("{\"title\":\"t\",\"body\":\"b\",\"id\":\"..\"}", "\"id\" must have 1 to 64");
    memset(name, 'n', sizeof name);
    snprintf(text, sizeof text, "{\"title\":\"%.301s\",\"body\":\"b\"}", name);
    assert_refused(text, "\"title\" must have 1 to 300 characters");
    snprintf(text, sizeof text, "{\"title\":\"t\",\"body\":\"b\",\"id\":\"%.65s\"}", name);
    assert_refused(text, "\"id\" must have 1 to 64");
    memset(text, '[', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_refused(text, "malformed JSON");
}

static void invented_ids_differ_and_may_be_used(void **state)
{
    struct blog_draft first = { 0 }, second = { 0 }, again;
    char text[128];

    (void)state;
    assert_int_equal(blog_draft_invent_id(&first), 0);
    assert_int_equal(blog_draft_invent_id(&second), 0);
    assert_int_equal(strlen(first.id), 16);
    assert_string_not_equal(first.id, second.id);
    snprintf(text, sizeof text, "{\"id\":\"%s\",\"title\":\"t\",\"body\":\"b\"}", first.id);
    assert_int_equal(blog_draft_article(&again, text, strlen(text), reason), 0);
    blog_draft_free(&again);
}

static void comments_are_reviewed(void **state)
{
    char text[15002] = "";

    (void)state;
    assert_null(blog_review("a comment"));
    assert_null(blog_review(" see http://www.example.org/a and https://example.org "));
    assert_null(blog_review("casinos and lotteryticket are other words, Ärlottery too"));
    assert_string_equal(blog_review(""), "the comment is empty");
    assert_string_equal(blog_review(" \t\r\n"), "the comment is empty");
    assert_string_equal(blog_review("http://a HTTPS://b www.c"), "the comment has more than 2 links");
    assert_string_equal(blog_review("http://a,http://b,http://c"), "the comment has more than 2 links");
    assert_string_equal(blog_review("the CASINO!"), "the comment contains a blocked word");
    assert_string_equal(blog_review("lotteryticket of the lottery"), "the comment contains a blocked word");
    for (int i = 0; i < 5000; i++)
        strcat(text + (i ? 3 * i - 3 : 0), "€");
    assert_null(blog_review(text));
    strcat(text, "x");
    assert_string_equal(blog_review(text), "the comment has more than 5000 characters");
}

static void pages_contain_no_markup_of_users(void **state)
{
    const struct blog_article article = {
        .id = "x", .title = "<script>&", .author = "\"><img>", .body = "<p>one\n\n\n\ntwo'", .created_ms = 0
    };
    const struct blog_comment comment = { .author = "<i>", .body = "</section>" };
    struct http_buffer page = { 0 };

    (void)state;
    blog_html_article_begin(&page, &article);
    blog_html_comment(&page, &comment);
    blog_html_article_end(&page);
    content(&page);
    assert_non_null(strstr(page.data, "<title>&lt;script&gt;&amp;</title>"));
    assert_non_null(strstr(page.data, "<p>&lt;p&gt;one</p>\n<p>two&#39;</p>"));
    assert_non_null(strstr(page.data, "&lt;/section&gt;"));
    assert_null(strstr(page.data, "<script>"));
    assert_null(strstr(page.data, "<img>"));
    assert_null(strstr(page.data, "<i>"));
    http_buffer_reset(&page, 0);
}

static void times_are_utc_with_milliseconds(void **state)
{
    char text[BLOG_TIME_BYTES];

    (void)state;
    blog_time_text(951826554007, text);
    assert_string_equal(text, "2000-02-29T12:15:54.007Z");
}

static void the_cache_gives_back_what_it_was_given(void **state)
{
    struct blog_cache *cache = blog_cache_create(1024 * 1024);
    struct blog_article article = { .id = "x", .title = "t", .author = "a", .body = "b", .created_ms = 5 };
    struct http_buffer json = { 0 };

    (void)state;
    assert_null(blog_cache_get(cache, "x"));
    assert_non_null(blog_cache_put(cache, &article));
    assert_non_null(blog_cache_put(cache, &article));
    const struct blog_cached *cached = blog_cache_get(cache, "x");
    blog_json_article(&json, &article);
    assert_int_equal(cached->json.length, json.length);
    assert_memory_equal(cached->json.data, json.data, json.length);
    article.created_ms = 6;
    assert_true(blog_cache_same(cached, &article));
    article.body = "c";
    assert_false(blog_cache_same(cached, &article));
    article.body = "b";
    article.author = "A";
    assert_false(blog_cache_same(cached, &article));
    http_buffer_reset(&json, 0);
    blog_cache_free(cache);
}

static void the_cache_never_exceeds_its_bytes(void **state)
{
    enum { ARTICLES = 3000, BYTES = 256 * 1024 };
    struct blog_cache *cache = blog_cache_create(BYTES);
    static char body[BYTES];
    char id[16];
    size_t bytes = 0;
    int kept = 0;

    (void)state;
    memset(body, 'x', sizeof body - 1);
    for (int i = 0; i < ARTICLES; i++) {
        const struct blog_article article = {
            .id = id, .title = "t", .author = "a", .body = body + sizeof body - 100
        };

        snprintf(id, sizeof id, "%d", i);
        assert_non_null(blog_cache_put(cache, &article));
        assert_non_null(blog_cache_get(cache, id));
    }
    for (int i = 0; i < ARTICLES; i++) {
        snprintf(id, sizeof id, "%d", i);
        const struct blog_cached *cached = blog_cache_get(cache, id);
        kept += cached != NULL;
        bytes += cached ? sizeof *cached + cached->json.capacity + cached->html.capacity : 0;
    }
    assert_true(kept > 50);
    assert_true(bytes <= BYTES);
    const struct blog_article large = { .id = "large", .title = "t", .author = "a", .body = body };
    assert_null(blog_cache_put(cache, &large));
    assert_null(blog_cache_get(cache, "large"));
    blog_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(an_article_is_read_with_and_without_what_may_be_missing),
        GUARDED(what_is_no_article_is_refused_with_a_reason),
        GUARDED(invented_ids_differ_and_may_be_used),
        GUARDED(comments_are_reviewed),
        GUARDED(pages_contain_no_markup_of_users),
        GUARDED(times_are_utc_with_milliseconds),
        GUARDED(the_cache_gives_back_what_it_was_given),
        GUARDED(the_cache_never_exceeds_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
