/* Writes, finds and checks the trailer of a weights file. */
#include "train/trailer.h"

#include "ols/ols.h"
#include "train/optimiser_state.h"

#include <string.h>

static const char magic[8] = {'O', 'L', 'S', 'w', 'h', 'o', 'l', 'e'};
static const uint32_t this_version = 1;

enum { HEADER = TRAILER_BYTES - OLS_BLOCK_FOOTER, DARKNET_HEADER = 20, SEEN = 12, REVISION = 8 };

void trailer_write(FILE *file, network *net, int with_optimiser, const uint32_t *crc)
{
    const uint32_t arrays = with_optimiser ? optimiser_count(net) : 0;
    const uint64_t seen = *net->seen;
    const uint32_t updates = with_optimiser ? (uint32_t)*net->t : 0;
    const uint32_t batch = with_optimiser ? (uint32_t)(net->batch * net->subdivisions) : 0;
    uint64_t length = TRAILER_BYTES;
    unsigned char header[HEADER];
    memcpy(header, magic, 8);
    memcpy(header + 8, &this_version, 4);
    memcpy(header + 12, &arrays, 4);
    memcpy(header + 16, &seen, 8);
    memcpy(header + 24, &updates, 4);
    memcpy(header + 28, &batch, 4);
    fwrite(header, sizeof header, 1, file);
    if (arrays) length += optimiser_write(net, file);
    fwrite(&length, sizeof length, 1, file);
    fflush(file); /* so that *crc covers everything up to here */
    fwrite(crc, sizeof *crc, 1, file);
    fwrite(OLS_BLOCK_END, 4, 1, file);
}

/* Reads n bytes from an offset on. Returns 0, or -1 if they are not there. */
static int read_at(FILE *file, long long offset, void *bytes, size_t n)
{
    return fseeko(file, offset, SEEK_SET) || fread(bytes, 1, n, file) != n ? -1 : 0;
}

trailer trailer_find(FILE *file, long long size)
{
    trailer none = {0}, found = {0};
    unsigned char footer[OLS_BLOCK_FOOTER], header[HEADER];
    uint64_t length;
    none.begin = size;
    if (size < TRAILER_BYTES || read_at(file, size - OLS_BLOCK_FOOTER, footer, sizeof footer)) return none;
    length = ols_footer_length(footer);
    if (length < TRAILER_BYTES || length > (uint64_t)size) return none;
    found.begin = size - (long long)length;
    if (read_at(file, found.begin, header, sizeof header) || memcmp(header, magic, 8)) return none;
    memcpy(&found.version, header + 8, 4);
    memcpy(&found.arrays, header + 12, 4);
    memcpy(&found.seen, header + 16, 8);
    memcpy(&found.updates, header + 24, 4);
    memcpy(&found.batch, header + 28, 4);
    return found;
}

/* The CRC-32 of the first n bytes of a file; *error is set if they cannot be read. */
static uint32_t checksum_of(FILE *file, long long n, int *error)
{
    unsigned char bytes[1 << 16];
    uint32_t crc = 0;
    *error = fseeko(file, 0, SEEK_SET);
    while (n > 0 && !*error) {
        const size_t part = n < (long long)sizeof bytes ? (size_t)n : sizeof bytes;
        *error = fread(bytes, 1, part, file) != part;
        crc = ols_checksum(crc, bytes, part);
        n -= (long long)part;
    }
    return crc;
}

const char *trailer_check(FILE *file, long long size, const trailer *found)
{
    unsigned char header[DARKNET_HEADER] = {0};
    const int has_header = size >= DARKNET_HEADER && !read_at(file, 0, header, sizeof header);
    const int32_t mark = TRAILER_MARK;
    uint32_t stated;
    uint64_t seen;
    int error;
    if (found->begin == size)
        return has_header && !memcmp(header + REVISION, &mark, 4)
                   ? "is cut off or damaged: the checksum that belongs at its end is not there"
                   : 0;
    if (read_at(file, size - 8, &stated, 4) || stated != checksum_of(file, size - 8, &error) || error)
        return "is damaged: its checksum is not that of its bytes";
    if (found->version != this_version) return "is of a version that this program does not know";
    memcpy(&seen, header + SEEN, 8);
    if (!has_header || seen != found->seen)
        return "does not belong together: the images seen at its beginning are not those at its end";
    return 0;
}

int trailer_read_optimiser(FILE *file, const trailer *found, network *net)
{
    if (!found->arrays) return 0;
    if (!found->batch) return -1;
    *net->t = (int)found->updates;
    return fseeko(file, found->begin + HEADER, SEEK_SET) || optimiser_read(net, found->arrays, found->batch, file) ? -1
                                                                                                                   : 0;
}
