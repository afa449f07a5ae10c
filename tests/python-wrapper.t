#!/bin/bash
# libdarknet.so works from Darknet's own Python wrapper.
set -u
cd "$(dirname "$0")/.." || exit 1
echo 1..1
wrapper=build/darknet/python/darknet.py
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/net.cfg" <<'EOT'
[net]
batch=4
width=8
height=8
channels=3
[convolutional]
filters=4
size=3
stride=1
pad=1
activation=relu
[avgpool]
[connected]
output=3
activation=linear
[ols]
smoothing=ols
EOT
# The wrapper is Python 2; all but its last lines, the part behind __main__, is Python 3 as well.
sed '/^if __name__/,$d; s/^lib = CDLL(.*/lib = CDLL(LIBRARY, RTLD_GLOBAL)/' "$wrapper" >"$folder/wrapper.py"
LD_LIBRARY_PATH=/usr/local/cuda/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} /usr/bin/python3 - "$folder" \
    "$PWD/libdarknet.so" >"$folder/log" 2>&1 <<'EOT'
import sys
folder, LIBRARY = sys.argv[1:]
exec(open(folder + "/wrapper.py").read())
net = load_net((folder + "/net.cfg").encode(), None, 0)
im = make_image(8, 8, 3)
for i in range(8 * 8 * 3):
    im.data[i] = i / 192.
out = predict_image(net, im)
p = [out[i] for i in range(3)]
print(p)
assert abs(sum(p) - 1) < 1e-5 and min(p) > 0, p
EOT
if [ $? = 0 ]; then
    echo "ok 1 - the wrapper loads libdarknet.so, a network with [ols], and predicts probabilities"
else
    echo "not ok 1 - the wrapper loads libdarknet.so, a network with [ols], and predicts probabilities"
    sed 's/^/# /' "$folder/log" | tail -n 5
    exit 1
fi
