/* Guards for Darknet's stb_image, whose assertions and endless buffers a damaged image must not reach: the Makefile
 * includes this header in front of Darknet's files. photo.c has the functions. */
#ifndef DECODER_GUARD_H
#define DECODER_GUARD_H

#include <stdlib.h>

/* Goes back to photo_decode where that called the decoder; otherwise ends the program with one line. */
void decoder_assertion_failed(const char *text) __attribute__((noreturn));

/* As realloc, but returns NULL above what the image that photo_decode is at can need. The data of a PNG that is cut off
 * can go on with zeros for ever, and the decoder would write them into a buffer that it doubles. */
void *decoder_realloc(void *block, size_t bytes);

/* As malloc, but with zeros in what is small, as the decoder's own tables are. A JPEG may use a table that it never
 * defines; what memory held before would send the decoder to foreign places. There is room for one pixel more than was
 * asked for, which is where the decoder puts a pixel of a GIF's frame that has no width. */
void *decoder_malloc(size_t bytes);

#define STBI_ASSERT(condition) ((condition) ? (void)0 : decoder_assertion_failed(#condition))
#define STBI_MALLOC(bytes) decoder_malloc(bytes)
#define STBI_REALLOC(block, bytes) decoder_realloc(block, bytes)
#define STBI_FREE(block) free(block)

#endif
