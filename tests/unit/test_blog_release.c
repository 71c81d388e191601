/* Both releases, asked over HTTP in one process; each test that names none runs with each. */
#include <errno.h>
#include <string.h>

#include "tests/unit/guard.h"
#include "tests/unit/http_peer.h"
#include "tests/unit/scratch.h"
#include "worker/blog/article.h"
#include "worker/blog/blog.h"

static const struct blog_release *const releases[] = { &blog_release_1, &blog_release_2 };

/* One worker: a blog and its server. */
struct site {
    struct blog blog;
    struct http_server *server;
    struct peer peer;
};

static struct site site, second;
static struct ev_loop *loop;

static void open_site(struct site *opened, const struct blog_release *release)
{
    struct http_settings settings = http_default_settings;
    char reason[BLOG_REASON_BYTES];

    if (blog_open(&opened->blog, release, loop, scratch, reason) < 0)
        fail_msg("%s", reason);
    settings.fields = "X-Blog-Version: 9\r\n";
    settings.linger_ms = settings.close_ms = 60 * 1000;
    assert_int_equal(http_server_create(&opened->server, loop, &settings, blog_handle, &opened->blog), 0);
    peer_pair(&opened->peer, opened->server);
}

static void close_site(struct site *opened)
{
    peer_close(&opened->peer);
    http_server_free(opened->server);
    blog_close(&opened->blog);
}

static void start(const struct blog_release *release)
{
    scratch_create();
    loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    open_site(&site, release);
}

static void stop(void)
{
    close_site(&site);
    ev_loop_destroy(loop);
    scratch_remove();
}

static void send_request(struct peer *peer, const char *method, const char *target, const char *body)
{
    static char request[1024 * 1024];

    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s", method,
             target, strlen(body), body);
    peer_forget(peer);
    peer_send(peer, request);
}

/* Run the loop until the whole answer is here. Returns its status. */
static int await_answer(struct peer *peer)
{
    peer_await(peer, "\r\n\r\n");
    const char *length = strstr(peer->text, "Content-Length: ");
    assert_non_null(length);
    size_t total = (size_t)(strstr(peer->text, "\r\n\r\n") + 4 - peer->text) + strtoul(length + 16, NULL, 10);
    while (peer->length < total)
        ev_run(loop, EVRUN_ONCE);
    assert_int_equal(peer->length, total);
    return atoi(peer->text + strlen("HTTP/1.1 "));
}

static int ask(struct site *asked, const char *method, const char *target, const char *body)
{
    send_request(&asked->peer, method, target, body);
    return await_answer(&asked->peer);
}

static void assert_says(const struct site *asked, const char *expected)
{
    if (!strstr(asked->peer.text, expected))
        fail_msg("no \"%s\" in: %s", expected, asked->peer.text);
}

static void assert_not_says(const struct site *asked, const char *unexpected)
{
    if (strstr(asked->peer.text, unexpected))
        fail_msg("\"%s\" in: %s", unexpected, asked->peer.text);
}

#define ARTICLE(id, body) "{\"id\":\"" id "\",\"title\":\"T of " id "\",\"body\":\"" body "\"}"

static void an_article_is_published_and_read(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        start(releases[i]);
        assert_int_equal(ask(&site, "POST", "/articles", ARTICLE("x", "some text")), 201);
        assert_says(&site, "\r\nLocation: /articles/x\r\n");
        assert_says(&site, "\r\nX-Blog-Version: 9\r\n");
        assert_int_equal(ask(&site, "GET", "/articles/x", ""), 200);
        assert_says(&site, "{\"id\":\"x\",\"title\":\"T of x\",\"author\":\"anonymous\",\"created\":\"20");
        assert_says(&site, "\"body\":\"some text\"}\n");
        assert_int_equal(ask(&site, "GET", "/articles", ""), 200);
        assert_says(&site, "{\"articles\":[\n{\"id\":\"x\",");
        assert_not_says(&site, "some text");
        assert_int_equal(ask(&site, "GET", "/", ""), 200);
        assert_says(&site, "<a href=\"/read/x\">T of x</a>");
        assert_int_equal(ask(&site, "GET", "/read/x", ""), 200);
        assert_says(&site, "<p>some text</p>");
        stop();
    }
}

static void without_an_id_the_server_finds_one(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        char target[64];

        start(releases[i]);
        assert_int_equal(ask(&site, "POST", "/articles", "{\"title\":\"t\",\"body\":\"found\"}"), 201);
        assert_int_equal(
            sscanf(site.peer.text + strcspn(site.peer.text, "{"), "{\"id\":\"%32[^\"]", target + 10), 1);
        memcpy(target, "/articles/", 10);
        assert_int_equal(ask(&site, "GET", target, ""), 200);
        assert_says(&site, "\"body\":\"found\"");
        stop();
    }
}

static void publishing_is_idempotent(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        start(releases[i]);
        assert_int_equal(ask(&site, "POST", "/articles", ARTICLE("x", "a")), 201);
        assert_int_equal(ask(&site, "POST", "/articles", ARTICLE("x", "a")), 200);
        assert_says(&site, "\r\nLocation: /articles/x\r\n");
        assert_int_equal(ask(&site, "POST", "/articles", ARTICLE("x", "b")), 409);
        assert_says(&site, "{\"error\":\"conflict\",\"reason\":\"");
        assert_int_equal(ask(&site, "GET", "/articles/x", ""), 200);
        assert_says(&site, "\"body\":\"a\"");
        stop();
    }
}

static void of_two_workers_that_publish_one_id_one_wins(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        start(releases[i % 2]);
        open_site(&second, releases[i / 2]);
        send_request(&site.peer, "POST", "/articles", ARTICLE("same", "a"));
        send_request(&second.peer, "POST", "/articles", ARTICLE("same", "a"));
        assert_int_equal(await_answer(&site.peer) + await_answer(&second.peer), 201 + 200);
        send_request(&site.peer, "POST", "/articles", ARTICLE("other", "a"));
        send_request(&second.peer, "POST", "/articles", ARTICLE("other", "b"));
        assert_int_equal(await_answer(&site.peer) + await_answer(&second.peer), 201 + 409);
        close_site(&second);
        stop();
    }
}

static void each_release_reads_what_the_other_wrote(void **state)
{
    (void)state;
    start(&blog_release_1);
    assert_int_equal(ask(&site, "POST", "/articles", ARTICLE("1", "from one")), 201);
    assert_int_equal(ask(&site, "POST", "/articles/1/comments", "{\"body\":\"c1\"}"), 201);
    open_site(&second, &blog_release_2);
    assert_int_equal(ask(&second, "POST", "/articles", ARTICLE("2", "from two")), 201);
    assert_int_equal(ask(&second, "POST", "/articles/1/comments", "{\"body\":\"c2\"}"), 201);
    assert_int_equal(ask(&second, "GET", "/articles/1/comments", ""), 200);
    assert_says(&second, "\"reviewed\":false,\"body\":\"c1\"");
    assert_says(&second, "\"reviewed\":true,\"body\":\"c2\"");
    assert_int_equal(ask(&second, "GET", "/articles/1", ""), 200);
    assert_says(&second, "from one");
    assert_int_equal(ask(&site, "GET", "/articles/2", ""), 200);
    assert_says(&site, "from two");
    assert_int_equal(ask(&site, "GET", "/articles/1/comments", ""), 200);
    assert_says(&site, "\"body\":\"c2\"");
    assert_int_equal(ask(&site, "POST", "/articles/2/comments", "{\"body\":\"c3\"}"), 201);
    close_site(&second);
    stop();
}

static void comments_are_published_with_their_article(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        start(releases[i]);
        assert_int_equal(ask(&site, "POST", "/articles/x/comments", "{\"body\":\"c\"}"), 404);
        assert_int_equal(ask(&site, "GET", "/articles/x/comments", ""), 404);
        assert_int_equal(ask(&site, "POST", "/articles", ARTICLE("x", "a")), 201);
        assert_int_equal(ask(&site, "POST", "/articles/x/comments", "{\"body\":\"<c>\",\"author\":\"me\"}"),
                         201);
        assert_says(&site, "{\"number\":1,\"author\":\"me\",");
        assert_int_equal(ask(&site, "GET", "/articles/x/comments", ""), 200);
        assert_says(&site, "{\"article\":\"x\",\"comments\":[\n{\"number\":1,\"author\":\"me\",");
        assert_says(&site, "],\n\"next\":null}\n");
        assert_int_equal(ask(&site, "GET", "/read/x", ""), 200);
        assert_says(&site, "<p>&lt;c&gt;</p>");
        assert_int_equal(ask(&site, "POST", "/articles/x/comments", "{\"body\":\"\"}"), 400);
        assert_int_equal(ask(&site, "POST", "/articles/x/comments", "{\"body\":1}"), 400);
        stop();
    }
}

static void a_comment_that_fails_the_review_is_not_published(void **state)
{
    (void)state;
    start(&blog_release_2);
    assert_int_equal(ask(&site, "POST", "/articles", ARTICLE("x", "a")), 201);
    assert_int_equal(ask(&site, "POST", "/articles/x/comments", "{\"body\":\"win in our casino\"}"), 400);
    assert_says(&site,
                "{\"error\":\"comment not reviewed\",\"reason\":\"the comment contains a blocked word\"}\n");
    assert_int_equal(ask(&site, "GET", "/articles/x/comments", ""), 200);
    assert_says(&site, "\"comments\":[]");
    stop();
}

static void lists_have_pages(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        start(releases[i]);
        assert_int_equal(ask(&site, "POST", "/articles", ARTICLE("1", "a")), 201);
        assert_int_equal(ask(&site, "POST", "/articles", ARTICLE("2", "a")), 201);
        assert_int_equal(ask(&site, "POST", "/articles", ARTICLE("3", "a")), 201);
        assert_int_equal(ask(&site, "GET", "/articles?limit=2", ""), 200);
        assert_true(strstr(site.peer.text, "T of 3") < strstr(site.peer.text, "T of 2"));
        assert_says(&site, "\"next\":\"/articles?limit=2&before=2\"}\n");
        assert_int_equal(ask(&site, "GET", "/articles?limit=2&before=2", ""), 200);
        assert_says(&site, "T of 1");
        assert_not_says(&site, "T of 2");
        assert_says(&site, "\"next\":null}\n");
        assert_int_equal(ask(&site, "GET", "/?before=3", ""), 200);
        assert_not_says(&site, "T of 3");
        assert_int_equal(ask(&site, "POST", "/articles/1/comments", "{\"body\":\"c1\"}"), 201);
        assert_int_equal(ask(&site, "POST", "/articles/1/comments", "{\"body\":\"c2\"}"), 201);
        assert_int_equal(ask(&site, "GET", "/articles/1/comments?limit=1", ""), 200);
        assert_says(&site, "\"next\":\"/articles/1/comments?limit=1&after=1\"");
        assert_int_equal(ask(&site, "GET", "/articles/1/comments?limit=1&after=1", ""), 200);
        assert_says(&site, "\"body\":\"c2\"");
        assert_int_equal(ask(&site, "GET", "/articles?limit=0", ""), 400);
        assert_int_equal(ask(&site, "GET", "/articles?limit=101", ""), 400);
        assert_int_equal(ask(&site, "GET", "/articles?limit=x", ""), 400);
        assert_int_equal(ask(&site, "GET", "/articles?before=nope", ""), 400);
        assert_int_equal(ask(&site, "GET", "/articles?before=%00", ""), 400);
        assert_int_equal(ask(&site, "GET", "/?before=nope", ""), 400);
        assert_int_equal(ask(&site, "GET", "/articles/1/comments?after=-1", ""), 400);
        stop();
    }
}

static void mistakes_are_answered_in_json(void **state)
{
    static const struct {
        int status;
        const char *method, *target, *body, *says;
    } mistakes[] = {
        { 400, "POST", "/articles", "{", "{\"error\":\"bad request\",\"reason\":\"malformed JSON in line 1" },
        { 400, "POST", "/articles", "{\"title\":\"\xc3\x28\"}", "this is not UTF-8\"}" },
        { 400, "POST", "/articles", "{\"title\":3,\"body\":\"b\"}", "\\\"title\\\" must be a string\"}" },
        { 400, "POST", "/articles/x/comments", "[]", "\"the body must be a JSON object\"}" },
        { 404, "GET", "/nothing", "", "{\"error\":\"not found\",\"reason\":\"" },
        { 404, "GET", "/articles/", "", "{\"error\":\"not found\",\"reason\":\"" },
        { 404, "GET", "/articles/nope", "",
          "{\"error\":\"not found\",\"reason\":\"there is no such article\"}" },
        { 404, "GET", "/read/nope", "", "{\"error\":\"not found\",\"reason\":\"there is no such article\"}" },
        { 404, "GET", "/articles/x/comments/1", "", "{\"error\":\"not found\",\"reason\":\"" },
        { 405, "DELETE", "/articles", "", "Allow: GET, HEAD, POST\r\n" },
        { 405, "POST", "/articles/x", "", "Allow: GET, HEAD\r\n" },
        { 405, "POST", "/", "", "{\"error\":\"method not allowed\",\"reason\":\"" },
    };

    (void)state;
    for (int i = 0; i < 2; i++) {
        start(releases[i]);
        for (size_t m = 0; m < sizeof mistakes / sizeof *mistakes; m++) {
            int status = ask(&site, mistakes[m].method, mistakes[m].target, mistakes[m].body);

            if (status != mistakes[m].status)
                fail_msg("%d for %s %s", status, mistakes[m].method, mistakes[m].target);
            assert_says(&site, mistakes[m].says);
            assert_says(&site, "\r\nX-Blog-Version: 9\r\n");
        }
        assert_int_equal(site.server->errors, 0);
        stop();
    }
}

static void health_is_that_of_the_database(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        start(releases[i]);
        assert_int_equal(ask(&site, "GET", "/healthz", ""), 200);
        assert_says(&site, i ? "{\"status\":\"ok\",\"version\":2}" : "{\"status\":\"ok\",\"version\":1}");
        sqlite3_exec(site.blog.store->database, "DROP TABLE comments; DROP TABLE articles", NULL, NULL, NULL);
        assert_int_equal(ask(&site, "GET", "/healthz", ""), 500);
        assert_int_equal(ask(&site, "GET", "/articles", ""), 500);
        assert_int_equal(ask(&site, "GET", "/", ""), 500);
        assert_int_equal(ask(&site, "GET", "/articles/x", ""), 500);
        assert_int_equal(ask(&site, "GET", "/read/x", ""), 500);
        assert_int_equal(ask(&site, "POST", "/articles", ARTICLE("x", "a")), 500);
        assert_int_equal(ask(&site, "POST", "/articles/x/comments", "{\"body\":\"c\"}"), 500);
        assert_int_equal(ask(&site, "GET", "/articles/x/comments", ""), 500);
        assert_int_equal(site.server->errors, 8);
        stop();
    }
}

static void release_2_reads_from_its_cache(void **state)
{
    (void)state;
    start(&blog_release_2);
    open_site(&second, &blog_release_1);
    assert_int_equal(ask(&second, "POST", "/articles", ARTICLE("x", "a")), 201);
    assert_int_equal(ask(&site, "GET", "/articles/x", ""), 200);
    assert_says(&site, "X-Blog-Cache: miss\r\n");
    assert_int_equal(ask(&site, "GET", "/articles/x", ""), 200);
    assert_says(&site, "X-Blog-Cache: hit\r\n");
    assert_says(&site, "\"body\":\"a\"");
    assert_int_equal(ask(&site, "GET", "/read/x", ""), 200);
    assert_says(&site, "X-Blog-Cache: hit\r\n");
    assert_int_equal(ask(&site, "POST", "/articles", ARTICLE("x", "a")), 200);
    assert_says(&site, "X-Blog-Cache: hit\r\n");
    assert_int_equal(ask(&site, "POST", "/articles", ARTICLE("y", "a")), 201);
    assert_says(&site, "X-Blog-Cache: miss\r\n");
    assert_int_equal(ask(&site, "GET", "/articles/y", ""), 200);
    assert_says(&site, "X-Blog-Cache: hit\r\n"); /* kept as it was published */
    close_site(&second);
    stop();
}

static void release_2_never_serves_a_list_that_others_have_outdated(void **state)
{
    static const char *const lists[] = { "/articles", "/" };

    (void)state;
    for (int i = 0; i < 2; i++) {
        start(&blog_release_2);
        open_site(&second, &blog_release_1);
        assert_int_equal(ask(&site, "GET", lists[i], ""), 200);
        assert_says(&site, "X-Blog-Cache: miss\r\n");
        assert_int_equal(ask(&site, "GET", lists[i], ""), 200);
        assert_says(&site, "X-Blog-Cache: hit\r\n");
        assert_int_equal(ask(&second, "POST", "/articles", ARTICLE("theirs", "b")), 201);
        assert_int_equal(ask(&site, "GET", lists[i], ""), 200);
        assert_says(&site, "X-Blog-Cache: miss\r\n");
        assert_says(&site, "T of theirs");
        assert_int_equal(ask(&site, "POST", "/articles", ARTICLE("ours", "b")), 201);
        assert_int_equal(ask(&site, "GET", lists[i], ""), 200);
        assert_says(&site, "T of ours");
        close_site(&second);
        stop();
    }
}

/* 600 KiB that need four times the room in HTML: more than one article may take of the cache. */
static void an_article_too_large_for_the_cache_is_served(void **state)
{
    static char body[600 * 1024], article[sizeof body + 100];

    (void)state;
    start(&blog_release_2);
    memset(body, '<', sizeof body - 1);
    snprintf(article, sizeof article, "{\"id\":\"x\",\"title\":\"t\",\"body\":\"%s\"}", body);
    assert_int_equal(ask(&site, "POST", "/articles", article), 201);
    assert_int_equal(ask(&site, "POST", "/articles", article), 200);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask(&site, "GET", "/articles/x", ""), 200);
        assert_says(&site, "X-Blog-Cache: miss\r\n");
        assert_true(site.peer.length > sizeof body);
    }
    article[strlen(article) - 3] = '>';
    assert_int_equal(ask(&site, "POST", "/articles", article), 409);
    stop();
}

static bool drained;

static void on_drained(void *arg, uint32_t cut)
{
    (void)arg;
    assert_int_equal(cut, 0);
    drained = true;
}

/* Release 2 answers when the disk has it: a drain that begins in between waits for that. */
static void a_drain_acknowledges_what_is_being_published(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        start(releases[i]);
        drained = false;
        send_request(&site.peer, "POST", "/articles", ARTICLE("x", "a"));
        while (site.server->connections_in[HTTP_SERVING] == 0 && site.server->requests == 0)
            ev_run(loop, EVRUN_ONCE);
        http_server_drain(site.server, UINT32_MAX, on_drained, NULL);
        assert_int_equal(await_answer(&site.peer), 201);
        if (i == 0) { /* it was answered before the drain began: the next answer says close */
            assert_int_equal(ask(&site, "GET", "/articles/x", ""), 200);
        }
        assert_says(&site, "Connection: close\r\n");
        peer_await_end(&site.peer);
        shutdown(site.peer.fd, SHUT_WR);
        while (!drained)
            ev_run(loop, EVRUN_ONCE);
        stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(an_article_is_published_and_read),
        GUARDED(without_an_id_the_server_finds_one),
        GUARDED(publishing_is_idempotent),
        GUARDED(of_two_workers_that_publish_one_id_one_wins),
        GUARDED(each_release_reads_what_the_other_wrote),
        GUARDED(comments_are_published_with_their_article),
        GUARDED(a_comment_that_fails_the_review_is_not_published),
        GUARDED(lists_have_pages),
        GUARDED(mistakes_are_answered_in_json),
        GUARDED(health_is_that_of_the_database),
        GUARDED(release_2_reads_from_its_cache),
        GUARDED(release_2_never_serves_a_list_that_others_have_outdated),
        GUARDED(an_article_too_large_for_the_cache_is_served),
        GUARDED(a_drain_acknowledges_what_is_being_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
