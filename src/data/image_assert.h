/* What an assertion of Darknet's stb_image does where it fails; the Makefile includes this header in front of Darknet's
 * files. Only a damaged image makes one fail, and that shall not end the program by a signal. */
#ifndef IMAGE_ASSERT_H
#define IMAGE_ASSERT_H

/* Goes back to the caller of the decoder where photo_decode is it; otherwise ends the program with one line. */
void image_assertion_failed(const char *text) __attribute__((noreturn));

#define STBI_ASSERT(condition) ((condition) ? (void)0 : image_assertion_failed(#condition))

#endif
