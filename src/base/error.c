/* Prints error messages and notes. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP, syscall */
#endif
#include "base/error.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Recursive, as what exit() calls may die, too. */
static pthread_mutex_t ending = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static int line_is_open;

void note_open_line(int is_open)
{
    line_is_open = is_open;
}

static void print_line(const char *kind, const char *format, va_list arguments)
{
    fflush(stdout);    /* keeps stdout and stderr in order where both go to one log */
    flockfile(stderr); /* one line of one thread */
    if (line_is_open) fputc('\n', stderr);
    line_is_open = 0;
    fprintf(stderr, "darknet: %s", kind);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    funlockfile(stderr);
}

static int is_main_thread(void)
{
    return syscall(SYS_gettid) == getpid();
}

void die(const char *format, ...)
{
    va_list arguments;
    pthread_mutex_lock(&ending); /* never unlocked: of threads that die at the same time, the first one is heard */
    va_start(arguments, format);
    print_line("", format, arguments);
    va_end(arguments);
    if (is_main_thread()) exit(1);
    _exit(1); /* exit() would take down libraries in which the main thread is still at work */
}

int report_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("", format, arguments);
    va_end(arguments);
    return 1;
}

void report_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("note: ", format, arguments);
    va_end(arguments);
}
