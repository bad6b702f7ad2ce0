#!/usr/bin/env bash
# LeNet-5 there and back, from files to proof, with neither PyTorch nor TensorFlow: ./dev demo runs it.
# TIEOUT names the program. Works in a temporary directory, on copies of the trained files in models/.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tieout=$(realpath "${TIEOUT:-$here/../../build/tieout}")
show=$here/../../tools/show_probabilities.py
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

title() { printf '\n---- %s\n' "$*"; }

# Shows the command as a user types it, then runs it.
tieout() {
  printf '\n$ tieout %s\n' "$*"
  "$tieout" "$@"
}

# Both models' ten probabilities of the same real digit: PYTORCH_MODEL KERAS_MODEL
side_by_side() {
  tieout run "$1" --probe digit_chw.npy -o "${1%.*}.npz"
  tieout run "$2" --probe digit_hwc.npy -o "${2%.*}.npz"
  printf '\n'
  python3 "$show" "${1%.*}.npz" "${2%.*}.npz"
}

weights() {
  title "The weights of both networks: the article's LeNet-5, trained in PyTorch and, apart, in Keras"
  tieout inspect lenet5_module.pt
  tieout inspect lenet5.keras
}

pytorch_to_keras() {
  title "PyTorch -> Keras"
  tieout convert lenet5_module.pt from_pytorch.keras --input-shape 1,28,28
  side_by_side lenet5_module.pt from_pytorch.keras
  title "The same, layer by layer"
  tieout verify lenet5_module.pt from_pytorch.keras --probe digit_chw.npy
}

keras_to_pytorch() {
  title "Keras -> PyTorch: the weights, and the code to load them into"
  tieout convert lenet5.keras from_keras.pt
  printf '\n$ cat from_keras.py\n'
  cat from_keras.py
  side_by_side from_keras.pt lenet5.keras
  title "The same, layer by layer"
  tieout verify lenet5.keras from_keras.pt --probe digit_hwc.npy
}

into_existing_models() {
  title "Into a model that is there already: its architecture and names, the other's weights"
  tieout convert lenet5_module.pt carried.keras --like lenet5.keras
  tieout verify lenet5_module.pt carried.keras --probe digit_chw.npy
  tieout convert lenet5.keras carried.pt --like lenet5_module.pt
  tieout verify lenet5.keras carried.pt --probe digit_hwc.npy
}

where_order_matters() {
  title "The classical LeNet-5: a dense layer after a 16 x 5 x 5 map, whose rows must change their order"
  tieout convert lenet5_classical_module.pt classical.keras --input-shape 1,28,28
  tieout match lenet5_classical_module.pt classical.keras
  tieout verify lenet5_classical_module.pt classical.keras --probe digit_chw.npy
}

cp "$here"/models/lenet5* "$here"/digit_*.npy "$place"
cd "$place"
weights
pytorch_to_keras
keras_to_pytorch
into_existing_models
where_order_matters
