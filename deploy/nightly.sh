#!/usr/bin/env bash
# A backup into the folder that is named, restored on trial into a scratch SQLite database, and backups older than
# thirty days removed. Exit code 1 when any of it fails: let your monitor know.
set -euo pipefail

folder=${1:?name a folder for backups}
shop=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")/shop
file=$folder/shop-$(date -u +%Y-%m-%dT%H-%M-%SZ).backup

"$shop" backup "$file"

# Nothing here reaches anybody: no worker runs on the copy.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
DATABASE_URL=sqlite:///$scratch/shop.db DATA_DIR=$scratch/data "$shop" restore "$file"

find "$folder" -maxdepth 1 -name 'shop-*.backup' -mtime +30 -delete
