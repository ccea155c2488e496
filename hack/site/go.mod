module github.com/live-notify/live-notify-operator/hack/site

go 1.26.0

require github.com/imfing/hextra v0.11.1 // indirect
