# The bucket's other CORS and lifecycle rules stay: AWS replaces such rules as a whole, so the script
# reads them, adds its own, and writes all of them. A rule that somebody else adds in the same second is
# lost.
#
# With the lifecycle rules, AWS deletes what is in the folders temp/ and export/ below the bucket
# prefix after 7 days.
