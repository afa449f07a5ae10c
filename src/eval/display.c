#include "eval/display.h"

static int hidden;

void display_hide(void)
{
    hidden = 1;
}

#ifdef OPENCV

#include "base/error.h"

#include "image.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Opens a window, in a process of its own, as OpenCV's aborts where it cannot. */
static void try_window(void)
{
    char name[] = "darknet";
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDERR_FILENO); /* what the window system says of it takes many lines */
    make_window(name, 1, 1, 0);
    _exit(0);
}

static void need_display(void)
{
    static int is_there;
    int status = 1;
    pid_t child;
    if (is_there) return;
    fflush(stdout); /* or the child would print it again */
    child = fork();
    if (!child) try_window();
    if (child < 0 || waitpid(child, &status, 0) < 0 || status)
        die("no window can be opened: there is no display here (-dont_show does without)");
    is_there = 1;
}

void display_make_window(char *name, int w, int h, int fullscreen)
{
    if (hidden) return;
    need_display();
    make_window(name, w, h, fullscreen);
}

int display_show_image(image im, const char *name, int ms)
{
    if (hidden) return -1;
    need_display();
    return show_image_cv(im, name, ms);
}

/* ---- Videos ------------------------------------------------------------------------------------------------------ */

/* The stream that was opened last; Darknet opens one. */
static struct {
    char name[128];
    image last; /* the size of its last frame; 0 x 0 before the first one */
} opened;

void *display_open_video(const char *file, int camera, int w, int h, int fps)
{
    void *stream = open_video_stream(file, camera, w, h, fps);
    if (file)
        snprintf(opened.name, sizeof opened.name, "the video %.100s", file);
    else
        snprintf(opened.name, sizeof opened.name, "camera %d", camera);
    if (!stream) die("cannot open %s", opened.name);
    memset(&opened.last, 0, sizeof opened.last);
    return stream;
}

image display_next_frame(void *stream)
{
    const image frame = get_image_from_stream(stream);
    if (!frame.data && !opened.last.w) die("%s has no picture that can be read", opened.name);
    if (frame.data) opened.last = frame;
    opened.last.data = 0;
    return frame.data ? frame : opened.last;
}

#endif
