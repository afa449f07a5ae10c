/* For tests that make networks or layers: Darknet never frees all of one, so leaks say nothing in a sanitized build. In
 * the other tests they are failures. */
#ifndef LEAKS_OF_DARKNET_H
#define LEAKS_OF_DARKNET_H

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

#endif
