#include "worker/blog/blog.h"

int blog_open(struct blog *blog, const struct blog_release *release, struct ev_loop *loop,
              const char *directory, char reason[BLOG_REASON_BYTES])
{
    *blog = (struct blog){ .release = release, .loop = loop, .directory = directory };
    int error = blog_store_open(&blog->store, directory, release->schema, reason);

    if (error < 0)
        return error;
    if (release->open)
        error = release->open(blog, reason);
    if (error < 0)
        blog_store_close(blog->store);
    return error;
}

void blog_close(struct blog *blog)
{
    if (blog->release->close)
        blog->release->close(blog);
    blog_store_close(blog->store);
}
