# Completion for wiretype and wiretyped in fish, and for wg and wg-quick where these are links to wiretype.
# wiretype itself knows what can stand where: the first line of its answer says whether files can ("files", then the
# ending that they must have), every other line is a word, behind a tab what it means.

function __wiretype_complete
    set -l current (commandline -ct)
    set -l words (commandline -opc | string unescape) (string unescape -- "$current")
    set -l answer (wiretype completion words -- $words 2>/dev/null)
    printf '%s\n' $answer[2..-1]
    set -l ending (string replace -r '^files ?' '' -- $answer[1])
    or return 0
    for path in (__fish_complete_path "$current")
        string match -rq -- "(/|"(string escape --style=regex -- $ending)')(\t.*)?$' $path
        and echo $path
    end
end

complete -c wiretype -f -k -a '(__wiretype_complete)'
complete -c wiretyped -f -k -a '(__wiretype_complete)'
for link in wg wg-quick
    set -l path (command -s $link)
    and string match -q '*/wiretype' -- (realpath $path)
    and complete -c $link -f -k -a '(__wiretype_complete)'
end
