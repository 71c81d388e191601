#include "worker/blog/front.h"

#include "worker/blog/list.h"

int blog_front_write(struct blog_front *front, struct blog_store *store, enum blog_form form,
                     struct http_buffer *buffer, bool *hit)
{
    struct http_buffer *text = &front->kept[form].text;
    int64_t version;
    int error = blog_store_version(store, &version); /* before the list: then what is kept is never older */

    if (error < 0)
        return error;
    *hit = front->kept[form].valid && front->kept[form].version == version;
    if (!*hit) {
        http_buffer_reset(text, SIZE_MAX);
        error = form == BLOG_FORM_JSON ? blog_list_json(store, text, NULL, BLOG_LIST_DEFAULT)
                                       : blog_list_html(store, text, NULL);
        front->kept[form].valid = error == 0 && !text->failed;
        front->kept[form].version = version;
    }
    if (error == 0)
        http_buffer_append(buffer, text->data, text->length);
    buffer->failed |= text->failed;
    return error;
}

void blog_front_free(struct blog_front *front)
{
    for (int form = 0; form < BLOG_FORMS; form++)
        http_buffer_reset(&front->kept[form].text, 0);
}
