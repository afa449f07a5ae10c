/* Guards around Darknet's own code: the Makefile includes this header in front of Darknet's files. What does not fit
 * into the buffers of fixed size in which it puts paths and names together would be written over other memory, or be
 * cut off and name another file; and an assertion that fails, mostly for a size in the cfg, would be a crash. Both end
 * the program with one line and status 1, behind whatever Darknet has begun to print. */
#ifndef HOST_GUARD_H
#define HOST_GUARD_H

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* As sprintf, snprintf, strncpy and strcat, but end the program where the text and its end do not fit into `size`
 * bytes; (size_t)-1: the size is not known, and nothing is checked. */
int guarded_print(char *buffer, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
char *guarded_copy(char *buffer, const char *text, size_t size);
char *guarded_append(char *buffer, size_t size, const char *text);

/* As fprintf, and notes whether a line on stderr is left open, into which a message must not go. */
int watched_print(FILE *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The end of Darknet's error(), whose text may have a line end. */
void host_error(const char *text) __attribute__((noreturn));

/* What glibc's assert() calls. */
void host_assertion_failed(const char *condition, const char *file, unsigned int line, const char *function)
    __attribute__((noreturn));

#define __assert_fail host_assertion_failed
#define fprintf(file, ...) watched_print(file, __VA_ARGS__)
#define sprintf(buffer, ...) guarded_print(buffer, __builtin_object_size(buffer, 1), __VA_ARGS__)
#define snprintf(buffer, size, ...) guarded_print(buffer, size, __VA_ARGS__)
#define strncpy(buffer, text, size) guarded_copy(buffer, text, size)
#define strcat(buffer, text) guarded_append(buffer, __builtin_object_size(buffer, 1), text)

#ifdef OPENCV /* src/data/photo.h, src/eval/display.h */
#define load_image_cv photo_load_cv
#define make_window display_make_window
#define show_image_cv display_show_image
#define open_video_stream display_open_video
#define get_image_from_stream display_next_frame
#endif

#endif
