/* Turns off leak detection in a sanitized build, for tests that create networks or layers: Darknet never frees all of
 * them. In all other tests a leak is a failure. */
#ifndef LEAKS_OF_DARKNET_H
#define LEAKS_OF_DARKNET_H

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

#endif
