/* Windows and videos of a build with OPENCV=1. Where there is no display, OpenCV aborts the program; a video without a
 * frame crashed it. Here both end it with one line and status 1, and -dont_show does without windows.
 * data/host_guard.h puts these functions in the place of Darknet's in Darknet's own files. */
#ifndef DISPLAY_H
#define DISPLAY_H

/* From now on no window is opened. Does nothing in builds without OpenCV, which open none. */
void display_hide(void);

#ifdef OPENCV

#include "darknet.h"

/* As Darknet's make_window and show_image_cv: the latter returns the key that was pressed within `ms` milliseconds (0:
 * waits for one), or -1. */
void display_make_window(char *name, int w, int h, int fullscreen);
int display_show_image(image im, const char *name, int ms);

/* As Darknet's open_video_stream and get_image_from_stream, but only with a video or camera that can be read and has a
 * frame. Behind the last frame comes an image of the same size without data: Darknet's demo, whose threads look at one
 * frame while they fetch another, divides by its size. */
void *display_open_video(const char *file, int camera, int w, int h, int fps);
image display_next_frame(void *stream);

#endif
#endif
