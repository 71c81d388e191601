/* The review of comments (release 2). Pure. A comment is published when it
 *
 *     - says something: more than blanks;
 *     - has at most 5,000 characters;
 *     - has at most 2 links ("http://", "https://", "www.");
 *     - contains none of the words casino, jackpot, lottery, payday, viagra.
 */
#ifndef BATON_BLOG_REVIEW_H
#define BATON_BLOG_REVIEW_H

/* Returns NULL when the comment may be published, or a static sentence that says why not. */
const char *blog_review(const char *body);

#endif
