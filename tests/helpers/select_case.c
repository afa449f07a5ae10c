/* Linked into every test program: if TEST_CASE is set, only tests whose name contains it are run (`make test
 * T=file:case`). It may contain cmocka's wildcards * and ?. */
#include "helpers/test_helpers.h"

__attribute__((constructor)) static void select_case(void)
{
    static char pattern[256]; /* cmocka keeps the pointer */
    const char *part = getenv("TEST_CASE");
    if (!part || !*part) return;
    snprintf(pattern, sizeof pattern, "*%s*", part);
    cmocka_set_test_filter(pattern);
}
