# Every option of every engine in a short run: the lines of /job/options.list that this guest has
# devices for, which are "where|engine|more arguments". The results go to /out, for ci/kernels.py to
# hold the receipts against ci/lab/receipts.txt. Sourced.
number=0
options() { # where target
    case $2 in /dev/*) allowed="--allow-device $2" ;; *) allowed= ;; esac
    while IFS='|' read -r where engine more; do
        [ "$where" = "$1" ] || continue
        number=$((number + 1))
        result=/out/$where.$number
        echo "$where $engine" >$result.what
        timeout 60 aio --engine $engine --file $2 $blocks --number-ios 64 --quiet $allowed --format json \
            $more >$result.json 2>$result.err </dev/null
        echo $? >$result.code
    done </job/options.list
}
