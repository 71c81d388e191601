#include "worker/blog/blog.h"

int main(int argc, char **argv)
{
    return blog_main(&blog_release_1, argc, argv);
}
