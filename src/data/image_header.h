/* Looks at the first bytes of an image file, for checks of whole lists: whether it is there and is an image that can be
 * decoded as far as its header says, without decoding it. */
#ifndef IMAGE_HEADER_H
#define IMAGE_HEADER_H

#include <stddef.h>

/* Why the file cannot be a picture that training could read: one clause in `reason` (reason_size bytes), and returns 1.
 * Returns 0 where it may be one. Of JPEG and PNG the end is looked at, too: a file that was cut off has none. Where
 * this returns 0, a decoder asks for no more memory than the file can need. It reads a few hundred bytes, or more where
 * a JPEG has much beside its picture. Formats other than JPEG, PNG and BMP are known by their first bytes alone.
 * Thread-safe. */
int image_header_problem(const char *path, char *reason, size_t reason_size);

#endif
